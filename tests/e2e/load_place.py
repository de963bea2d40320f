"""Where the end-to-end tests run load tests, and targets that misbehave."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import kubectl as k
import yaml
from objects import RESTRICTED

from loadtest import spec
from nlpserve.load_tests import LoadTestResult

LOAD_IMAGE = os.environ.get("LOAD_IMAGE") or spec.LOAD_IMAGE
FAKE = Path(__file__).parent / "loadtest" / "fake_model.py"
QUICK = {
    "load": {"model": "open", "shape": 20, "seconds": 8},
    "texts": {"count": 20},
    "timeout_seconds": 3,
    "workers": {"start_seconds": 60, "memory": "128Mi", "cpu_request": "20m"},
    "validity": {"most_lag_seconds": 5, "most_cpu": 1, "least_rate": 0.8},  # others load the node
    "prometheus": None,
}


class Place:
    """Where load tests run, with what they need to see of their targets."""

    def __init__(self, namespace, folder):
        self.namespace, self.folder = namespace, folder
        for source in ("k8s/loadtest", "k8s/loadtest/target"):
            text = k.kubectl("kustomize", str(k.ROOT / source))
            text = re.sub(r"namespace: loadtest$", f"namespace: {namespace.name}", text, flags=re.M)
            objects = [one for one in yaml.safe_load_all(text) if one["kind"] != "Namespace"]
            namespace.apply(*objects)

    def fake(self, mode, *, name=None, replicas=1):
        """A target that behaves as `mode` says; the model has its name."""
        name = f"fake-{name or mode}"
        labels = {
            "app.kubernetes.io/component": "model", "nlpserve/track": "stable",
            "nlpserve/model": name,
        }  # fmt: skip
        server = {
            "name": "server",
            "image": LOAD_IMAGE,
            "imagePullPolicy": "IfNotPresent",
            "command": ["python", "-c", FAKE.read_text(encoding="utf-8")],
            "env": [{"name": "MODE", "value": mode}, {"name": "NAME", "value": name}],
            "ports": [{"containerPort": 3000}],
            "readinessProbe": {"tcpSocket": {"port": 3000}, "periodSeconds": 1},
            "resources": {
                "requests": {"cpu": "10m", "memory": "32Mi"},
                "limits": {"cpu": "500m", "memory": "64Mi"},
            },
            "securityContext": RESTRICTED,
        }
        pod = {"automountServiceAccountToken": False, "terminationGracePeriodSeconds": 1}
        spec = {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {**pod, "containers": [server]}},
        }
        meta = {"name": name, "labels": labels}
        ports = [{"port": 80, "targetPort": 3000}]
        self.namespace.apply(
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec},
            {
                "apiVersion": "v1", "kind": "Service", "metadata": meta,
                "spec": {"selector": labels, "ports": ports},
            },
        )  # fmt: skip
        return name

    def ready(self, *names):
        for name in names:
            self.namespace.wait(f"deployment/{name}", "Available")

    def start(self, model, *words, **changes):
        """`python -m loadtest run`, not waited for."""
        content = {"name": f"e2e-{model}", "target": {"model": model}, **QUICK, **changes}
        file = self.folder / f"{content['name']}.yaml"
        file.write_text(json.dumps(content), encoding="utf-8")
        space = self.namespace.name
        command = [
            sys.executable, "-m", "loadtest", "run", str(file), "--out", str(self.out(model)),
            "--namespace", space, "--load-namespace", space, "--image", LOAD_IMAGE, *words,
        ]  # fmt: skip
        return subprocess.Popen(
            command, cwd=k.ROOT, env={**os.environ, "KUBECONFIG": str(k.kubeconfig())},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def out(self, model):
        return self.folder / f"out-{model}"

    def end(self, model, running, seconds=180):
        """Exit code, result, and what was said."""
        with running:
            said, wrong = running.communicate(timeout=seconds)
        file = self.out(model) / "result.json"
        assert file.exists(), said + wrong
        result = LoadTestResult.model_validate_json(file.read_text(encoding="utf-8"))
        assert running.returncode == result.verdict.exit_code
        return result

    def pods(self, model):
        """Those of the load on a model: the coordinator's and the workers'."""
        selector = f"app.kubernetes.io/managed-by=nlpserve-loadtest-run,nlpserve/model={model}"
        return [
            pod["metadata"]["name"] for pod in self.namespace.get("pods", "-l", selector)["items"]
        ]

    def left(self, model):
        selector = f"app.kubernetes.io/managed-by=nlpserve-loadtest-run,nlpserve/model={model}"
        return self.namespace.kubectl("get", "jobs,pods,configmaps", "-l", selector, "-o", "name")
