"""A switch and nodes, each a network namespace; the host is one more station on the switch.

Nothing of it changes the host's firewall: the fence that keeps pods from the host's listeners and
from everything outside stands in each node's own namespace.
"""

import json
from contextlib import suppress
from pathlib import Path

from k8s.local.errors import ClusterError
from k8s.local.places import (
    HOST_ADDRESS,
    HOST_LINK,
    NAMESPACE_PREFIX,
    NODE_NETWORK,
    POD_NETWORK,
    SERVICE_NETWORK,
    SWITCH,
    node_address,
    node_name,
    pod_range,
)
from k8s.local.shell import inside, run

BRIDGE = "bridge"
UPLINK = "eth0"
FENCE = "NLPSERVE-FENCE"


def namespaces() -> list[str]:
    """The cluster's, as they stand in /run/netns."""
    return sorted(path.name for path in Path("/run/netns").glob(f"{NAMESPACE_PREFIX}*"))


def most_node() -> int:
    """The highest number of a node that has a namespace; 0 where there is none."""
    start = node_name(0)[:-1]
    numbers = [name.removeprefix(start) for name in namespaces() if name.startswith(start)]
    return max(map(int, numbers), default=0)


def make_switch() -> None:
    """The switch, and the host's link to it."""
    if SWITCH not in namespaces():
        run(["ip", "netns", "add", SWITCH])
        run([*inside(SWITCH), "ip", "link", "add", BRIDGE, "type", "bridge"])
        run([*inside(SWITCH), "ip", "link", "set", BRIDGE, "up"])
    if not Path(f"/sys/class/net/{HOST_LINK}").exists():
        plug(HOST_LINK, "host")
        run(["ip", "address", "add", f"{HOST_ADDRESS}/24", "dev", HOST_LINK])
        run(["ip", "link", "set", HOST_LINK, "up"])
        run(["ip", "route", "replace", SERVICE_NETWORK, "via", node_address(1)])


def plug(link: str, port: str) -> None:
    """A cable: one end here called `link`, the other a port of the switch."""
    ends = ["ip", "link", "add", link, "type", "veth", "peer", "name", port, "netns", SWITCH]
    run(ends)
    run([*inside(SWITCH), "ip", "link", "set", port, "master", BRIDGE])
    run([*inside(SWITCH), "ip", "link", "set", port, "up"])


def make_node(number: int) -> None:
    """A node's namespace with its address, its fence, and the host's route to its pods."""
    name = node_name(number)
    if name not in namespaces():
        run(["ip", "netns", "add", name])
        here = inside(name)
        temporary = f"nlpserve-{number}"
        plug(temporary, f"node-{number}")
        run(["ip", "link", "set", temporary, "netns", name])
        for words in (
            ["ip", "link", "set", "lo", "up"],
            ["ip", "link", "set", temporary, "name", UPLINK],
            ["ip", "address", "add", f"{node_address(number)}/24", "dev", UPLINK],
            ["ip", "link", "set", UPLINK, "up"],
            # Nothing goes out by it, but Kubernetes takes its address from the default route.
            ["ip", "route", "add", "default", "via", HOST_ADDRESS],
            ["sysctl", "-qw", "net.ipv4.ip_forward=1"],
            # Between pods of one node too, a Service's answers must pass its address translation.
            ["sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=1"],
            *fence(),
        ):
            run([*here, *words])
    run(["ip", "route", "replace", pod_range(number), "via", node_address(number)])


def fence() -> list[list[str]]:
    """Rules at the last place on the way out, behind every translation of addresses."""
    table = ["iptables", "-w", "-t", "mangle"]
    new = ["-m", "conntrack", "--ctstate", "NEW"]
    inner = (NODE_NETWORK, POD_NETWORK)
    return [
        [*table, "-N", FENCE],
        [*table, "-A", FENCE, "-d", HOST_ADDRESS, *new, "-j", "DROP"],
        *([*table, "-A", FENCE, "-d", item, "-j", "RETURN"] for item in inner),
        [*table, "-A", FENCE, *new, "-j", "DROP"],
        [*table, "-A", "POSTROUTING", "-o", UPLINK, "-j", FENCE],
    ]


def connect_nodes(count: int) -> None:
    """Each node's routes to the pods of the others."""
    for here in range(1, count + 1):
        for there in range(1, count + 1):
            if here != there:
                words = ["ip", "route", "replace", pod_range(there), "via", node_address(there)]
                run([*inside(node_name(here)), *words])


def set_cable(number: int, *, plugged: bool) -> None:
    """Pull a node's cable out of the switch, or put it back."""
    state = "up" if plugged else "down"
    run([*inside(SWITCH), "ip", "link", "set", f"node-{number}", state])


def remove_node(number: int) -> None:
    """With the namespace go its links, rules and routes."""
    if node_name(number) in namespaces():
        run(["ip", "netns", "del", node_name(number)])


def remove_all() -> None:
    """Every namespace, and the host's link with its routes."""
    if HOST_LINK in host_links():
        with suppress(ClusterError):  # a removal that was cut short may be taking it away
            run(["ip", "link", "del", HOST_LINK])
    for name in namespaces():
        run(["ip", "netns", "del", name])
    if left := [*namespaces(), *(link for link in host_links() if link == HOST_LINK)]:
        raise ClusterError(f"could not be removed: {', '.join(left)}")


def host_links() -> list[str]:
    return [str(link["ifname"]) for link in json.loads(run(["ip", "-json", "link"]))]
