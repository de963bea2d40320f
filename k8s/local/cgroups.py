"""The cgroups that hold all of the cluster's processes, so that all of them can be found."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from k8s.local.errors import ClusterError
from k8s.local.places import CGROUP


def hierarchies() -> list[Path]:
    """One under version 2; under version 1 one for each controller, and a bare one of version 2."""
    lines = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    kinds = {"cgroup", "cgroup2"}
    return sorted({Path(line.split()[1]).resolve() for line in lines if line.split()[2] in kinds})


def is_unified(hierarchy: Path) -> bool:
    """Whether it is of version 2, whose controllers are handed down one level at a time."""
    return (hierarchy / "cgroup.controllers").exists()


def make(path: str) -> None:
    """The cgroup in every hierarchy, with the controllers, processors and memory of its parent."""
    for hierarchy in hierarchies():
        here = hierarchy
        for part in Path(path).parts:
            parent, here = here, here / part
            if is_unified(hierarchy):
                controllers = (parent / "cgroup.controllers").read_text(encoding="ascii").split()
                enabled = " ".join(f"+{name}" for name in controllers)
                (parent / "cgroup.subtree_control").write_text(enabled, encoding="ascii")
            here.mkdir(exist_ok=True)
            for name in ("cpuset.cpus", "cpuset.mems"):
                if (here / name).exists() and not is_unified(hierarchy):
                    value = (parent / name).read_text(encoding="ascii")
                    (here / name).write_text(value, encoding="ascii")


def enter(path: str, process: int) -> None:
    """Move the process there; the children it will have follow it."""
    for hierarchy in hierarchies():
        (hierarchy / path / "cgroup.procs").write_text(str(process), encoding="ascii")


def members(path: str = CGROUP) -> set[int]:
    """Ids of all processes in the cgroup and below it."""
    found: set[int] = set()
    for hierarchy in hierarchies():
        for folder, _, _ in os.walk(hierarchy / path):
            try:
                ids = Path(folder, "cgroup.procs").read_text(encoding="ascii")
            except OSError:
                continue  # a cgroup that went while we looked holds nobody
            found.update(map(int, ids.split()))
    return found


def end_members(path: str = CGROUP, *, patience: float = 30) -> None:
    """Kill by id what is in there, until nothing is. Raises ClusterError when something stays."""
    deadline = time.monotonic() + patience
    while ids := members(path):
        if time.monotonic() > deadline:
            raise ClusterError(f"processes that cannot be killed: {sorted(ids)}")
        for process in ids:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.1)


def remove(path: str = CGROUP, *, patience: float = 10) -> None:
    """The cgroup, deepest first; the kernel may hold an empty one for a moment."""
    deadline = time.monotonic() + patience
    while left := [item / path for item in hierarchies() if (item / path).is_dir()]:
        for top in left:
            for folder, _, _ in os.walk(top, topdown=False):
                try:
                    Path(folder).rmdir()
                except OSError:
                    if time.monotonic() > deadline:
                        raise
        time.sleep(0.05)
