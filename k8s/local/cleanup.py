"""Takes away what a cluster left on the machine, whatever state it is in."""

import shutil
import time
from contextlib import suppress
from pathlib import Path

from k8s.local import cgroups, network, processes
from k8s.local.errors import ClusterError
from k8s.local.node import Node
from k8s.local.places import CGROUP, DATA, RUN
from k8s.local.shell import run

CONTAINER_LOGS = Path("/var/log/containers")
"""The kubelet's links to its pods' logs; their place cannot be set."""


def remove_all() -> None:
    """The processes first, since they hold the rest."""
    for record in processes.records():
        processes.end(record, patience=2)
    cgroups.end_members(CGROUP)
    unmount_below(DATA, RUN)
    network.remove_all()
    cgroups.remove(CGROUP)
    remove_log_links(DATA)
    for folder in (RUN, DATA):
        if folder.exists():
            shutil.rmtree(folder)


def remove_node(node: Node) -> None:
    """One node, the others left in peace."""
    for name in reversed(node.names()):
        if record := processes.find(name):
            processes.end(record)
    for process in cgroups.members():
        if belongs(process, node):
            processes.kill(process)
    cgroups.end_members(node.cgroup)
    unmount_below(node.folder, node.run)
    network.remove_node(node.number)
    cgroups.remove(node.cgroup)
    remove_log_links(node.folder)
    for folder in (node.run, node.folder):
        if folder.exists():
            shutil.rmtree(folder)


def belongs(process: int, node: Node) -> bool:
    """Whether it is one of the node's shims: they outlive containerd, and name its socket."""
    try:
        words = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return str(node.socket).encode() in words


def unmount_below(*folders: Path, patience: float = 20) -> None:
    """Deepest first. A mount that is busy for long is an error, never a lazy unmount."""
    deadline = time.monotonic() + patience
    while mounts := mounts_below(*folders):
        for mount in mounts:
            try:
                run(["umount", mount])
            except ClusterError:
                if time.monotonic() > deadline:
                    raise
        time.sleep(0.05)


def mounts_below(*folders: Path) -> list[Path]:
    """Mount points in the folders, the last mounted first; from proc(5)'s mountinfo."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        point = Path(line.split()[4].encode().decode("unicode_escape"))
        if any(point.is_relative_to(folder) for folder in folders):
            found.append(point)
    return found[::-1]


def remove_log_links(folder: Path) -> None:
    """Links into the folder; and their place, where nobody else uses it."""
    if not CONTAINER_LOGS.is_dir():
        return
    for link in CONTAINER_LOGS.iterdir():
        with suppress(FileNotFoundError):  # a kubelet that lives removes dead ones, too
            if link.is_symlink() and link.readlink().is_relative_to(folder):
                link.unlink()
    with suppress(OSError):  # it is not empty: others' links stay
        CONTAINER_LOGS.rmdir()
