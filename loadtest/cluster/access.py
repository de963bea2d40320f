"""Where the cluster is, and as whom it is asked."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kubernetes import client, config
from kubernetes.config.config_exception import ConfigException

from loadtest.cluster.calls import ClusterError

LOCAL_KUBECONFIG: Final = Path(__file__).parents[2] / ".cluster" / "kubeconfig"
"""Where `make cluster` writes the local cluster's."""
POD_TOKEN: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
"""What a pod with a service account is given."""


@dataclass(frozen=True)
class Place:
    """Which cluster it is, by its context where there is one, and the namespace to begin with."""

    context: str
    namespace: str


def access(context: str | None) -> tuple[client.Configuration, Place]:
    """How to reach the cluster, and which it is.

    KUBECONFIG's, a pod's own, else the local one, else the user's; the same rule is in
    k8s/cluster-at-hand.sh and k8s/local/ordinary.py. Raises ClusterError.
    """
    settings = client.Configuration()
    settings.retries = False  # ours are bounded and know which calls may be made twice
    try:
        return settings, _configure(settings, context)
    except (ConfigException, OSError) as error:
        raise ClusterError(
            f"no cluster: {error}; let KUBECONFIG name one, or run `make cluster`"
        ) from None


def _configure(settings: client.Configuration, context: str | None) -> Place:
    """Fill in where the cluster is and who asks."""
    file = os.environ.get("KUBECONFIG")
    if not file and POD_TOKEN.exists():
        config.load_incluster_config(client_configuration=settings)  # type: ignore[no-untyped-call]
        return Place("of this pod", POD_TOKEN.with_name("namespace").read_text(encoding="ascii"))
    if not file and LOCAL_KUBECONFIG.exists():
        file = str(LOCAL_KUBECONFIG)
    config.load_kube_config(file or None, context, client_configuration=settings)  # type: ignore[no-untyped-call]
    known, active = config.list_kube_config_contexts(file or None)  # type: ignore[no-untyped-call]
    chosen = next((entry for entry in known if entry["name"] == context), active)
    return Place(str(chosen["name"]), str(chosen["context"].get("namespace") or "default"))
