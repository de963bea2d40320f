"""The same commands where kind and a container engine are installed: kind makes the cluster."""

import json
from collections.abc import Sequence

from k8s.local import addons, ordinary
from k8s.local.certificates import current_context
from k8s.local.places import KUBECONFIG
from k8s.local.shell import Argument, run

NAME = "nlpserve"
TRUST_KUBELETS = [
    {
        "op": "add",
        "path": "/spec/template/spec/containers/0/args/-",
        "value": "--kubelet-insecure-tls",
    }
]
"""kind's kubelets sign their own certificates."""


def configuration(count: int) -> str:
    """One control plane, the other nodes workers."""
    nodes = [{"role": "control-plane"}, *[{"role": "worker"}] * (count - 1)]
    return json.dumps({"apiVersion": "kind.x-k8s.io/v1alpha4", "kind": "Cluster", "nodes": nodes})


def up(count: int, names: Sequence[str]) -> None:
    """Leaves a cluster of that name alone, whatever its nodes."""
    flags: list[Argument] = ["--kubeconfig", KUBECONFIG]
    if NAME not in run(["kind", "get", "clusters"]).split():
        words = ["kind", "create", "cluster", "--name", NAME, "--config", "-", "--wait", "120s"]
        run([*words, *flags], feed=configuration(count), timeout=600)
    ordinary.apply(names, flags)
    if "metrics-server" in names:
        deployment = ["-n", addons.NAMESPACES["metrics-server"], "deployment", "metrics-server"]
        words = ["--type=json", "--patch", json.dumps(TRUST_KUBELETS)]
        run(["kubectl", *flags, "patch", *deployment, *words])
    ordinary.wait(names, flags)


def down() -> None:
    """The cluster, and its kubeconfig, of which kind itself leaves the empty frame."""
    run(["kind", "delete", "cluster", "--name", NAME, "--kubeconfig", KUBECONFIG], timeout=120)
    if current_context(KUBECONFIG) == "":
        KUBECONFIG.unlink(missing_ok=True)
