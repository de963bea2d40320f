"""Up, down, and what lies between: other numbers of nodes, and a start after anything."""

import shutil
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from k8s.local import (
    addons,
    build,
    certificates,
    cgroups,
    cleanup,
    control_plane,
    health,
    images,
    network,
    preflight,
    processes,
)
from k8s.local.build import note, program
from k8s.local.components import HELM, KEDA, METRICS_SERVER, NODE, PROMETHEUS, Component
from k8s.local.errors import ClusterError
from k8s.local.node import Node
from k8s.local.places import DATA, KUBECONFIG, KUBECONFIGS, LOGS, RUN
from k8s.local.shell import run

LEASE_SECONDS = 40
"""A kubelet renews its lease four times in this span, Kubernetes' default."""


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
    held = DATA.is_dir()
    try:
        start(count, names)
    except (ClusterError, OSError) as error:
        if held and health.api_ready():
            raise
        note(f"{error}\nThe cluster did not start; clearing up and trying once more.")
        down()
        start_anew(count, names)
    except KeyboardInterrupt:
        if not held:
            note("interrupted: clearing up")
            down()
        raise


def start_anew(count: int, names: Sequence[str]) -> None:
    """From nothing; what goes wrong leaves nothing either, but its logs."""
    try:
        start(count, names)
    except (ClusterError, OSError):
        keep_logs()
        down()
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
        loading = [pool.submit(start_containers, node, names) for node in nodes]
        start_control_plane()
        for done in loading:
            done.result()
    start_kubelets(nodes)
    install_addons(names)
    note(f"the cluster is up: export KUBECONFIG={KUBECONFIG}")


def write_kubeconfigs() -> None:
    certificates.write_kubeconfig(certificates.ADMIN, KUBECONFIGS / "admin.json", embed=True)
    certificates.write_kubeconfig(certificates.ADMIN, KUBECONFIG, embed=True)


def start_containers(node: Node, names: Sequence[str]) -> None:
    """The node's containerd, with the images of what the cluster itself runs."""
    containerd = node.processes()[0]
    for folder in (node.run, node.logs, node.folder / "volume-plugins"):
        folder.mkdir(parents=True, exist_ok=True)
    processes.ensure(containerd)
    health.wait("containerd", lambda: health.answers(node.socket), [containerd.name])
    for image in images.needed(names):
        # By the archive's name, which changes with its content; the image's may not.
        mark = node.folder / "loaded" / image.archive.name
        if not mark.exists():
            ctr(node, "images", "import", image.archive)
            mark.parent.mkdir(exist_ok=True)
            mark.touch()


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


def down() -> None:
    """Nothing is left: no process, mount, namespace, link, rule, cgroup, socket or file."""
    cleanup.remove_all()
    KUBECONFIG.unlink(missing_ok=True)


def keep_logs() -> None:
    """Of a start that failed twice: beside the kubeconfig, since all else is cleared."""
    kept = KUBECONFIG.parent / "failed-start"
    shutil.rmtree(kept, ignore_errors=True)
    if LOGS.is_dir():
        shutil.copytree(LOGS, kept)
        note(f"the logs of the failed start are in {kept}")


def load(archive: Path) -> None:
    """An image archive into every node's containerd."""
    numbers = list(range(1, network.most_node() + 1))
    if not numbers or not RUN.is_dir():
        raise ClusterError("no cluster runs here: start it with `make cluster`")
    for number in numbers:
        ctr(Node(number, len(numbers)), "images", "import", archive)


def ctr(node: Node, *words: str | Path) -> str:
    """Containerd's own client, in the namespace that Kubernetes uses."""
    command = [program("ctr"), "--address", node.socket, "--namespace", "k8s.io", *words]
    return run(command, timeout=180)
