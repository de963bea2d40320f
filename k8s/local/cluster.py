"""Up, down, and what lies between: other numbers of nodes, and a start after anything."""

import shutil
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

from k8s.local import (
    addons,
    build,
    certificates,
    cgroups,
    cleanup,
    containers,
    control_plane,
    health,
    images,
    network,
    preflight,
    processes,
    proxy,
)
from k8s.local.components import HELM, KEDA, METRICS_SERVER, NODE, PROMETHEUS, Component
from k8s.local.errors import ClusterError, Missing
from k8s.local.locks import locked
from k8s.local.node import Node
from k8s.local.notes import note
from k8s.local.places import CHANGES, DATA, KUBECONFIG, KUBECONFIGS, LOGS

LEASE_SECONDS = 40
"""A kubelet renews its lease four times in this span, Kubernetes' default."""
LONGEST_CHANGE = 900
"""Seconds; many times what a start takes that has to be tried twice."""


def components(names: Sequence[str]) -> list[Component]:
    """What a cluster with these add-ons is built from; helm is for who uses it."""
    parts = {"metrics-server": METRICS_SERVER, "keda": KEDA, "prometheus": PROMETHEUS}
    return [*NODE, *(parts[name] for name in names), HELM]


def up(count: int, names: Sequence[str]) -> None:
    """A cluster of `count` nodes with these add-ons; what runs already stays.

    A start that fails says why, is cleared up, and is tried once more from nothing. A cluster that
    was there before and still answers is never cleared up: it may hold somebody's work.
    """
    wanted = components(names)
    preflight.check(wanted)
    preflight.install_packages()
    build.build(wanted)
    images.build(images.needed(names))
    with changing():
        start_or_restart(count, names)


def changing() -> AbstractContextManager[None]:
    """One start or removal at a time on this machine. Raises Busy."""
    return locked(CHANGES, "another start or removal of the cluster", LONGEST_CHANGE)


def start_or_restart(count: int, names: Sequence[str]) -> None:
    """Start; where that fails and nobody's work is at stake, once more from nothing."""
    held = DATA.is_dir()
    try:
        start(count, names)
    except (ClusterError, OSError) as error:
        if held and health.api_ready():
            raise
        note(f"{error}\nThe cluster did not start; clearing up and trying once more.")
        clear()
        start_anew(count, names)
    except KeyboardInterrupt:
        if not held:
            note("interrupted: clearing up")
            clear()
        raise


def start_anew(count: int, names: Sequence[str]) -> None:
    """From nothing; what goes wrong leaves nothing either, but its logs."""
    try:
        start(count, names)
    except (ClusterError, OSError):
        keep_logs()
        clear()
        raise


def start(count: int, names: Sequence[str]) -> None:
    """Everything in its order; each step leaves alone what is there and right."""
    nodes = [Node(number, count) for number in range(1, count + 1)]
    remove_nodes_above(count)
    for path in (processes.DAEMONS, *(node.cgroup for node in nodes)):
        cgroups.make(path)
    network.make_switch()
    for node in nodes:
        network.make_node(node.number)
    network.connect_nodes(count)
    control_plane.make_certificates()
    write_kubeconfigs()
    with ThreadPoolExecutor(max_workers=len(nodes)) as pool:
        loading = [pool.submit(containers.start, node, names) for node in nodes]
        start_control_plane()
        for done in loading:
            done.result()
    forget_nodes_beyond(nodes)
    start_kubelets(nodes)
    install_addons(names)
    note(f"the cluster is up: export KUBECONFIG={KUBECONFIG}")
    if text := proxy.advice():
        note(text)


def write_kubeconfigs() -> None:
    certificates.write_kubeconfig(certificates.ADMIN, KUBECONFIGS / "admin.json", embed=True)
    certificates.write_kubeconfig(certificates.ADMIN, KUBECONFIG, embed=True)


def start_control_plane() -> None:
    etcd, api_server, *others = control_plane.processes()
    for process in (etcd, api_server):
        processes.ensure(process)
    health.wait("the API server", health.api_ready, [etcd.name, api_server.name])
    for process in others:
        processes.ensure(process)


def start_kubelets(nodes: Sequence[Node]) -> None:
    """Kubelets and proxies, until every node is ready by the word of a kubelet that lives."""
    now = time.time()
    started = [processes.ensure(item) for node in nodes for item in node.processes()[1:]]
    since = now if any(started) else now - LEASE_SECONDS
    watched = [name for node in nodes for name in reversed(node.names())]

    def ready() -> bool:
        states, beating = health.ready_nodes(), health.beating_nodes(since)
        return all(states.get(node.name) and node.name in beating for node in nodes)

    health.wait("readiness of the nodes", ready, watched, 90)
    note(f"{len(nodes)} node{'s' * (len(nodes) > 1)} ready")


def install_addons(names: Sequence[str]) -> None:
    """DNS and the add-ons, until all of them are available."""
    addons.fetch_upstream(names)
    addons.apply(addons.dns())
    for name in names:
        addons.apply(addons.render(name))
    for namespace in ("kube-system", *(addons.NAMESPACES[name] for name in names)):
        addons.wait(namespace)
    health.wait("an answering DNS service", health.dns_listens, [])
    note(f"DNS{''.join(f', {name}' for name in names)} available")


def remove_nodes_above(count: int) -> None:
    """Nodes that are one too many: their pods move first, as far as there is room."""
    for number in range(network.most_node(), count, -1):
        node = Node(number, number)
        if number > 1 and health.api_ready():
            note(f"removing {node.name}")
            drain = ("drain", node.name, "--ignore-daemonsets", "--delete-emptydir-data", "--force")
            try:
                addons.kubectl(*drain, "--timeout=60s", timeout=70)
            except ClusterError as error:
                note(f"{node.name} was not drained: {error}")
            addons.kubectl("delete", "node", node.name, "--ignore-not-found")
        cleanup.remove_node(node)


def forget_nodes_beyond(nodes: Sequence[Node]) -> None:
    """Those that were taken away while no API server could hear of it."""
    for name in sorted(health.ready_nodes().keys() - {node.name for node in nodes}):
        addons.kubectl("delete", "node", name, "--ignore-not-found")


def down() -> None:
    """Remove it, whatever state it is in."""
    if problems := preflight.privileges():
        raise Missing("\n".join(problems))
    with changing():
        clear()


def clear() -> None:
    """Nothing is left: no process, mount, namespace, link, rule, cgroup, socket or file."""
    cleanup.remove_all()
    context = certificates.current_context(KUBECONFIG)
    if context in ("", certificates.CONTEXT):
        KUBECONFIG.unlink(missing_ok=True)
    else:
        note(f"{KUBECONFIG} stays: its context {context} is another cluster's")


def keep_logs() -> None:
    """Of a start that failed twice: beside the kubeconfig, since all else is cleared."""
    kept = KUBECONFIG.parent / "failed-start"
    shutil.rmtree(kept, ignore_errors=True)
    if LOGS.is_dir():
        shutil.copytree(LOGS, kept)
        note(f"the logs of the failed start are in {kept}")
