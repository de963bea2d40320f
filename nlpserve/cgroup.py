"""What the kernel says of a container's CPU limit."""

from pathlib import Path
from typing import Final, NamedTuple

FILES: Final = ("cpu.stat", "cpu/cpu.stat", "cpu,cpuacct/cpu.stat")
"""Of cgroups version 2 and 1."""


class Throttling(NamedTuple):
    """Since the container's start."""

    periods: int
    throttled: int
    seconds: float


def throttling(root: Path = Path("/sys/fs/cgroup")) -> Throttling:
    """Zeros where there is no limit, or the kernel does not tell."""
    for name in FILES:
        try:
            lines = (root / name).read_text(encoding="ascii").splitlines()
        except OSError:
            continue
        words = dict(line.split() for line in lines)
        if "nr_periods" in words:
            micros = int(words.get("throttled_usec", 0))
            nanos = int(words.get("throttled_time", 0))
            seconds = micros / 1e6 + nanos / 1e9
            return Throttling(int(words["nr_periods"]), int(words["nr_throttled"]), seconds)
    return Throttling(0, 0, 0.0)
