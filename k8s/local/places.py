"""Where things are: folders, addresses and names, each said once."""

import os
from pathlib import Path

PROJECT = Path(__file__).parents[2]
MODULES = Path(__file__).parent / "modules"
ADDONS = PROJECT / "k8s" / "addons"

KUBECONFIG = PROJECT / ".cluster" / "kubeconfig"
"""The administrator's, for whoever works in this clone."""

# One cluster a machine: network namespaces and addresses are the machine's, not the clone's.
# The run folder's name is short because a Unix socket's path holds 107 bytes.
RUN = Path("/run/nlpserve-cluster")
DATA = Path("/var/lib/nlpserve-cluster")
KUBECONFIGS = DATA / "kubeconfigs"
LOGS = DATA / "logs"
CERTIFICATES = DATA / "certificates"
PROCESSES = DATA / "processes"
CHANGES = Path("/run/lock/nlpserve-cluster")
"""The lock of who starts or removes it; the only file that stays, and empty."""

CGROUP = "nlpserve-cluster"
NAMESPACE_PREFIX = "nlpserve-"
SWITCH = "nlpserve-switch"
HOST_LINK = "nlpserve-host"

NODE_NETWORK = "192.168.200.0/24"
HOST_ADDRESS = "192.168.200.254"
POD_NETWORK = "10.244.0.0/16"
SERVICE_NETWORK = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
DNS_DOMAIN = "cluster.local"
API_PORT = 6443
MOST_NODES = 9


def cache() -> Path:
    """Built programs and images, outside the clone, so that clones share them."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "nlpserve" / "cluster"


def node_name(number: int) -> str:
    """Also the name of its network namespace."""
    return f"{NAMESPACE_PREFIX}node-{number}"


def node_address(number: int) -> str:
    return f"192.168.200.{number}"


def pod_range(number: int) -> str:
    return f"10.244.{number}.0/24"


def api_server() -> str:
    return f"https://{node_address(1)}:{API_PORT}"
