"""A process and all that it started, as /proc shows them: their CPU time, and their end.

BentoML's workers are sessions of their own, so that a process group does not reach them.
"""

import os
import signal
from pathlib import Path
from typing import Final, NamedTuple

PROC: Final = Path("/proc")


class _Stat(NamedTuple):
    parent: int
    cpu_ticks: int
    started: int  # ticks since boot: tells a process from a later one with its number


def family(pid: int) -> dict[int, int]:
    """Process id → start time of the process and its descendants; empty without /proc."""
    stats = {int(entry.name): _stat(entry) for entry in PROC.glob("[0-9]*")}
    members: dict[int, int] = {}
    waiting = [pid]
    while waiting:
        member = waiting.pop()
        if stat := stats.get(member):
            members[member] = stat.started
            waiting += [child for child, found in stats.items() if found and found.parent == member]
    return members


def cpu_seconds(pid: int) -> float:
    """CPU time of the process and its living descendants so far; NaN without /proc."""
    stats = [_stat(PROC / str(member)) for member in family(pid)]
    if not stats:
        return float("nan")
    return sum(stat.cpu_ticks for stat in stats if stat) / os.sysconf("SC_CLK_TCK")


def kill_left_over(members: dict[int, int]) -> None:
    """Kill those of a family that still run, and no process that took the number of one."""
    for pid, started in members.items():
        stat = _stat(PROC / str(pid))
        if stat and stat.started == started:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def _stat(folder: Path) -> _Stat | None:
    try:
        text = (folder / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the command's name may hold spaces and brackets
    return _Stat(int(fields[1]), int(fields[11]) + int(fields[12]), int(fields[19]))
