"""Each node's containerd: started, and given images."""

from collections.abc import Sequence
from pathlib import Path

from k8s.local import health, images, network, processes
from k8s.local.build import program
from k8s.local.errors import ClusterError
from k8s.local.node import Node
from k8s.local.places import RUN
from k8s.local.shell import run


def start(node: Node, names: Sequence[str]) -> None:
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
