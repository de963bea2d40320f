"""A release, traffic, and the add-on's Prometheus once more with the release's rules.

It has a Prometheus of its own, from the add-on's objects, so that no other one has to be restarted
for rules. The alerts are those of monitoring/sources with shorter windows, or a test of them would
take an hour; every expression is the shipped one, and promtool tests the shipped numbers.
"""

import json
import shutil
import time
from contextlib import contextmanager

import kubectl as k
import pytest
import yaml
from asking import Asking
from chart_release import CHART, SMALL, Release

from k8s.alert_rules import MONITORING, rules_text
from monitoring.dashboards.source import Prometheus

SHORTER = {
    "burn_rates": [{"long": "40s", "short": "20s", "factor": 14.4, "severity": "critical"}],
    "objectives_interval": "5s",
    "rate_window": "20s",
    "holds_for": "5s",
    "outage_holds_for": "5s",
    "slow_holds_for": "5s",
    "scaler_errors": 1,
}
READER = "nlpserve-prometheus"
"""The add-on's ClusterRole."""
STATE = k.ROOT / "tests" / "e2e" / "kube_state.py"
SIGHT_SECONDS = 240
"""How far back panels look."""


def values(namespace):
    """Two models: one that KEDA scales, one with room for little."""
    keda = {"serverAddress": f"http://prometheus.{namespace}:9090", "fallback": {"replicas": 1}}
    scaling = {"mode": "keda", "minReplicas": 1, "maxReplicas": 2, "keda": keda}
    few = {"batching": {"queueLimit": 64}, "limits": {"maxTexts": 64}}
    return {
        "models": {"intent": {"autoscaling": scaling, "capacity": 500}, "emotion": few},
        "networkPolicy": {"namespaces": {"monitoring": namespace, "load": namespace}},
    }


def shorter_rules(folder):
    shutil.copytree(MONITORING / "sources", folder / "sources")
    numbers = yaml.safe_load((MONITORING / "thresholds.yaml").read_text(encoding="utf-8"))
    assert set(SHORTER) <= set(numbers)
    (folder / "thresholds.yaml").write_text(yaml.safe_dump(numbers | SHORTER), "utf-8")
    return rules_text(folder)


def release_rules(release):
    """The file that docs/monitoring.md makes, without the alerts."""
    files = [release.file("small", SMALL), release.file("values", values(release.namespace.name))]
    done = release.helm(
        "template", release.name, CHART, "--values", files[0], "--values", files[1],
        "--set", "prometheusRule.enabled=true", "--set", "prometheusRule.alerts=false",
        "--show-only", "templates/prometheusrule.yaml",
    )  # fmt: skip
    return json.dumps({"groups": yaml.safe_load(done.stdout)["spec"]["groups"]})


def config_map(name, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def prometheus(rules):
    """The add-on's objects, in this namespace."""
    addon = k.Namespace("monitoring")
    deployment = addon.get("deployment", "prometheus")
    pod = deployment["spec"]["template"]["spec"]
    (configuration,) = [v["configMap"] for v in pod["volumes"] if v["name"] == "configuration"]
    data = addon.get("configmap", configuration["name"])["data"]
    configuration["name"] = "prometheus"
    service = addon.get("service", "prometheus")
    ports = [{"name": "http", "port": 9090, "targetPort": "http"}]
    plain = {"selector": service["spec"]["selector"], "ports": ports}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "prometheus"}},
        config_map("prometheus", **data),
        config_map("prometheus-rules", **rules),
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "prometheus"},
         "spec": deployment["spec"]},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "prometheus"}, "spec": plain},
    ]  # fmt: skip


def kube_state(space, image):
    """kube_state.py as a pod, with the labels of the real one; it may read this namespace."""
    from objects import RESTRICTED  # noqa: PLC0415  asks the cluster when it is imported

    name = {"name": "kube-state-metrics"}
    subject = {"kind": "ServiceAccount", **name}
    reading = [
        {"apiGroups": [group], "resources": [kind], "verbs": ["list"]}
        for group, kind in (
            ("apps", "deployments"), ("autoscaling", "horizontalpodautoscalers"), ("", "pods"),
        )
    ]  # fmt: skip
    container = {
        "name": "exporter",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "/exporter/kube_state.py"],
        "env": [{"name": "NAMESPACE", "value": space.name}],
        "ports": [{"containerPort": 8080}],
        "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": RESTRICTED,
        "volumeMounts": [{"name": "exporter", "mountPath": "/exporter"}],
    }
    spec = {
        "serviceAccountName": name["name"],
        "terminationGracePeriodSeconds": 1,
        "containers": [container],
        "volumes": [{"name": "exporter", "configMap": {"name": "kube-state"}}],
    }
    group = "rbac.authorization.k8s.io"
    role = {"apiGroup": group, "kind": "Role", **name}
    api = f"{group}/v1"
    labels = {"app.kubernetes.io/name": "kube-state-metrics"}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": name},
        {"apiVersion": api, "kind": "Role", "metadata": name, "rules": reading},
        {"apiVersion": api, "kind": "RoleBinding", "metadata": name, "roleRef": role,
         "subjects": [subject]},
        config_map("kube-state", **{"kube_state.py": STATE.read_text(encoding="utf-8")}),
        {"apiVersion": "v1", "kind": "Pod", "metadata": {**name, "labels": labels}, "spec": spec},
    ]  # fmt: skip


@contextmanager
def reading(space):
    """The add-on's right to find and read pods and nodes, for this namespace's Prometheus."""
    words = (f"nlpserve-test-{space.name}",)
    k.kubectl(
        "create", "clusterrolebinding", *words, f"--clusterrole={READER}",
        f"--serviceaccount={space.name}:prometheus",
    )  # fmt: skip
    try:
        yield
    finally:
        k.kubectl("delete", "clusterrolebinding", *words)


class Stage:
    """The release, who asks it, and the Prometheus that watches it."""

    def __init__(self, release):
        self.release = release
        self.namespace = release.namespace
        address = self.namespace.get("service", "prometheus")["spec"]["clusterIP"]
        self.url = f"http://{address}:9090"

    def values(self):
        """Of the release, to be changed."""
        return values(self.namespace.name)

    def asking(self, model, **more):
        address = self.release.get("service", model)["spec"]["clusterIP"]
        return Asking(address, model, **more)

    def alerts(self, name, model=""):
        """States of an alert's instances in the test's namespace, as Prometheus' API has them."""
        wanted = f'alertname="{name}",namespace="{self.namespace.name}",model=~"{model}.*"'
        query = f"ALERTS{{{wanted}}}"
        return {
            series.labels["alertstate"] for series in self.prometheus(time.time()).instant(query)
        }

    def silent(self, *names, model=""):
        return all(not self.alerts(name, model) for name in names)

    def fire(self, *names, model="", seconds=90):
        """Waits until each has fired; what was pending first is in the range Prometheus keeps."""
        waiting = set(names)

        def all_fired():
            waiting.difference_update({n for n in waiting if "firing" in self.alerts(n, model)})
            return not waiting

        k.until(f"{names} firing", all_fired, seconds)

    def prometheus(self, now):
        return Prometheus(self.url, now - SIGHT_SECONDS, now, 5)


@pytest.fixture(scope="module")
def stage(tmp_path_factory, server_image):
    folder = tmp_path_factory.mktemp("monitoring")
    with k.new_namespace("dashboards-and-alerts") as space, reading(space):
        release = Release(space, folder)
        rules = {"release.yaml": release_rules(release), "alerts.yaml": shorter_rules(folder)}
        space.apply(*prometheus(rules))
        release.upgrade(**values(space.name))
        (container,) = release.get("deployment", "intent")["spec"]["template"]["spec"]["containers"]
        space.apply(*kube_state(space, container["image"]))
        space.wait("pod/kube-state-metrics", "Ready")
        space.wait("deployment/prometheus", "Available")
        yield Stage(release)


@pytest.fixture
def load_place(stage, tmp_path, load_image):
    from load_place import Place  # noqa: PLC0415  asks the cluster when it is imported

    return Place(stage.namespace, tmp_path)
