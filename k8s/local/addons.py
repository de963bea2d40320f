"""DNS and the add-ons: upstream's manifests, with what this kind of cluster needs laid over."""

import json
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from k8s.local.build import folder_of, keep_manifests, program
from k8s.local.components import KEDA, KUBERNETES, METRICS_SERVER
from k8s.local.images import (
    COREDNS_IMAGE,
    KEDA_IMAGES,
    METRICS_SERVER_IMAGE,
    PROMETHEUS_IMAGE,
    Image,
)
from k8s.local.places import ADDONS, DATA, DNS_DOMAIN, DNS_SERVICE, KUBECONFIGS
from k8s.local.proxy import without_proxy
from k8s.local.shell import run

UPSTREAM = ADDONS / "upstream"
NAMES = ("metrics-server", "keda", "prometheus")
NAMESPACES = {"metrics-server": "kube-system", "keda": "keda", "prometheus": "monitoring"}
NOTHING_OUTSIDE = f""".:53 {{
        template ANY ANY {{
            rcode NXDOMAIN
        }}
    }}
    {DNS_DOMAIN}:53 in-addr.arpa:53 ip6.arpa:53 {{"""
CLUSTER_AUTHORITY = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"

Patch = dict[str, Any]


def fetch_upstream(names: Sequence[str]) -> None:
    """Put the pinned modules' manifests where k8s/addons/ looks for them; nothing is built."""
    for component in (METRICS_SERVER, KEDA):
        target = UPSTREAM / component.name
        if component.name in names:
            shutil.rmtree(target, ignore_errors=True)
            keep_manifests(component, target)


def dns() -> str:
    """CoreDNS as Kubernetes deploys it; of names outside it says at once that there are none."""
    source = folder_of(KUBERNETES) / "manifests/cluster/addons/dns/coredns/coredns.yaml.base"
    text = source.read_text(encoding="utf-8")
    for name, value in (
        ("DOMAIN", DNS_DOMAIN),
        ("SERVER", DNS_SERVICE),
        ("MEMORY__LIMIT", "170Mi"),
    ):
        text = text.replace(f"__DNS__{name}__", value)
    text = re.sub(r"image: .*coredns:.*", f"image: {COREDNS_IMAGE.name}", text)
    text = text.replace(".:53 {", NOTHING_OUTSIDE)
    return re.sub(r"\n *forward \. [^{]*\{[^}]*\}", "", text)


def overlay(name: str) -> dict[str, Any]:
    """A kustomization over k8s/addons/`name` for the local cluster, its resources still to add."""
    if name == "metrics-server":
        arguments = "/spec/template/spec/containers/0/args/-"
        trust = f"--kubelet-certificate-authority={CLUSTER_AUTHORITY}"
        patches = [
            _own_image("metrics-server", METRICS_SERVER_IMAGE),
            _on("Deployment", "metrics-server", [_add(arguments, trust)]),
        ]
    elif name == "keda":
        webhooks = ("Deployment", "ValidatingWebhookConfiguration")
        patches = [
            _own_image("keda-operator", KEDA_IMAGES[0]),
            _own_image("keda-metrics-apiserver", KEDA_IMAGES[1]),
            # The webhooks refuse what cannot work, such as two autoscalers of one Deployment.
            # That is not needed here, and their program is a third of KEDA's build.
            *(_without(kind, "keda-admission(-webhooks)?") for kind in webhooks),
        ]
    else:
        patches = [_own_image("prometheus", PROMETHEUS_IMAGE)]
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "patches": patches,
    }


def _add(path: str, value: object) -> Patch:
    return {"op": "add", "path": path, "value": value}


def _on(kind: str, name: str, operations: Sequence[Patch]) -> Patch:
    return {"target": {"kind": kind, "name": name}, "patch": json.dumps(operations)}


def _own_image(deployment: str, image: Image) -> Patch:
    """The image built here, and a probe at once: images are here already, programs start fast."""
    container = "/spec/template/spec/containers/0"
    return _on(
        "Deployment",
        deployment,
        [
            _add(f"{container}/image", image.name),
            _add(f"{container}/imagePullPolicy", "IfNotPresent"),
            _add(f"{container}/readinessProbe/initialDelaySeconds", 0),
            _add(f"{container}/readinessProbe/periodSeconds", 1),
        ],
    )


def _without(kind: str, name: str) -> Patch:
    gone = {"apiVersion": "any", "kind": kind, "metadata": {"name": "any"}, "$patch": "delete"}
    return {"target": {"kind": kind, "name": name}, "patch": json.dumps(gone)}


def render(name: str) -> str:
    """The add-on's manifests for the local cluster."""
    folder = DATA / "addons" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    base = os.path.relpath(ADDONS / name, folder)
    content = json.dumps({**overlay(name), "resources": [base]}, indent=1)
    (folder / "kustomization.yaml").write_text(content + "\n", encoding="utf-8")
    return kubectl("kustomize", folder)


def apply(manifests: str) -> None:
    """Server-side: KEDA's definitions are larger than an annotation may be."""
    kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", feed=manifests, timeout=120)


def wait(namespace: str, *, seconds: int = 120) -> None:
    """Until every Deployment of the namespace is available."""
    words = ("--for=condition=Available", "deployment", "--all", f"--timeout={seconds}s")
    kubectl("wait", "-n", namespace, *words, timeout=seconds + 10)


def kubectl(*words: str | Path, feed: str | None = None, timeout: float = 60) -> str:
    """The built kubectl on the built cluster."""
    command = [program("kubectl"), f"--kubeconfig={KUBECONFIGS / 'admin.json'}", *words]
    return run(command, feed=feed, timeout=timeout, environment=without_proxy())
