"""The add-ons on a cluster that is not ours: kind, minikube, k3s, a cloud's."""

import os
from collections.abc import Sequence

from k8s.local import addons
from k8s.local.errors import ClusterError
from k8s.local.notes import note
from k8s.local.places import ADDONS, KUBECONFIG, api_server
from k8s.local.shell import Argument, run

FACTS = "jsonpath={.current-context} {.clusters[0].cluster.server}"


def install(names: Sequence[str]) -> None:
    """With the kubectl on PATH, on the cluster at hand. Raises ClusterError for the local one."""
    flags = at_hand()
    said = run(["kubectl", *flags, "config", "view", "--minify", "-o", FACTS])
    context, _, server = said.strip().rpartition(" ")
    if server == api_server():
        raise ClusterError(
            "this is the local cluster, which has its add-ons from `make cluster`; for another"
            " let KUBECONFIG name it"
        )
    note(f"on the cluster of context {context}")
    apply(names, flags)
    wait(names, flags)


def at_hand() -> list[Argument]:
    """Flags of kubectl for KUBECONFIG's cluster, else the local one, else the user's.

    The same rule is in k8s/cluster-at-hand.sh and loadtest/cluster/access.py.
    """
    if os.environ.get("KUBECONFIG") or not KUBECONFIG.exists():
        return []
    return ["--kubeconfig", KUBECONFIG]


def apply(names: Sequence[str], flags: Sequence[Argument]) -> None:
    addons.fetch_upstream(names)
    for name in names:
        note(f"installing {name}")
        run(["kubectl", *flags, "apply", "--server-side", "-k", ADDONS / name], timeout=120)


def wait(names: Sequence[str], flags: Sequence[Argument]) -> None:
    """Until their Deployments are available; their images may have to come from far."""
    for name in names:
        words = ["--for=condition=Available", "deployment", "--all", "--timeout=300s"]
        run(["kubectl", *flags, "wait", "-n", addons.NAMESPACES[name], *words], timeout=310)
