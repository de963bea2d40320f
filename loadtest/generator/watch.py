"""What a worker uses of its pod: CPU, sockets, descriptors, ports, by /proc and the cgroup."""

import os
import resource
import time
from pathlib import Path
from typing import Final

from nlpserve.cgroup import throttling
from nlpserve.latency import COARSE, Histogram
from nlpserve.load_results import Counts
from nlpserve.load_tests import WorkerFacts

LAG_PERIOD: Final = 0.05
"""Seconds between two looks at how late the event loop is."""
CHANNEL_SOCKETS: Final = 1
"""The connection to the coordinator is none of the target's."""


def sockets(file: Path = Path("/proc/net/sockstat")) -> tuple[int, int]:
    """TCP sockets in use and those in TIME_WAIT, of the pod's network. (0, 0): unknown."""
    try:
        text = file.read_text(encoding="ascii")
    except OSError:
        return 0, 0
    line = next((line for line in text.splitlines() if line.startswith("TCP:")), "TCP:")
    words = line.split()[1:]
    found = dict(zip(words[::2], map(int, words[1::2]), strict=True))
    return found.get("inuse", 0), found.get("tw", 0)


def port_range(file: Path = Path("/proc/sys/net/ipv4/ip_local_port_range")) -> int:
    """How many ports there are for connections to one address and port."""
    first, last = map(int, file.read_text(encoding="ascii").split())
    return last - first + 1


def cores(quantity: str) -> float:
    """A CPU quantity of Kubernetes, as one process can use it: at most one core."""
    milli = quantity.endswith("m")
    return min(1.0, float(quantity[:-1]) / 1_000 if milli else float(quantity))


def missed(seconds: float) -> list[float]:
    """How late each look was, of one that was late by so much and of those it kept from being."""
    return [
        max(0.0, seconds),
        *(seconds - n * LAG_PERIOD for n in range(1, int(seconds / LAG_PERIOD) + 1)),
    ]


class Watch:
    """Samples once a second; `hold` says whether the second counts for averages."""

    def __init__(self, cpu_limit: str, *, listeners: int = 0) -> None:
        """Nothing was seen yet. `listeners` are sockets of our own that take connections."""
        self._own = CHANNEL_SOCKETS + listeners
        self.last_cpu = self.last_lag = 0.0
        self._limit = cores(cpu_limit)
        self._cpu = time.process_time()
        self._at = time.perf_counter()
        self._throttling = throttling()
        self._held_seconds = self._held_cpu = self._worst = 0.0
        self._lag = Histogram(bits=COARSE)
        self._least: int | None = None
        self._most = self._descriptors = self._ports = 0

    def lag(self, seconds: float, *, hold: bool) -> None:
        """The event loop was so late for a look; those that it missed meanwhile were late, too.

        Else a worker that stands still for a quarter of the time would have fewer late looks than
        any percentile shows.
        """
        self.last_lag = max(0.0, seconds)
        if hold:
            for late in missed(seconds):
                self._lag.record(late)

    def begin(self) -> None:
        """The load begins: what was before does not count."""
        self._cpu, self._at = time.process_time(), time.perf_counter()
        self._throttling = throttling()

    def sample(self, *, hold: bool) -> int:
        """Look, and say how many sockets to the target are open."""
        cpu, at = time.process_time(), time.perf_counter()
        used, seconds = cpu - self._cpu, at - self._at
        self._cpu, self._at = cpu, at
        in_use, waiting = sockets()
        found = max(0, in_use - self._own)
        self.last_cpu = used / seconds / self._limit
        self._descriptors = max(self._descriptors, len(os.listdir("/proc/self/fd")))  # noqa: PTH208
        self._ports = max(self._ports, in_use + waiting)
        if hold:
            self._held_cpu += used
            self._held_seconds += seconds
            self._worst = max(self._worst, used / seconds / self._limit)
            self._least = found if self._least is None else min(self._least, found)
            self._most = max(self._most, found)
        return found

    def facts(
        self, *, index: int, pod: str, counts: Counts, connections: dict[str, int]
    ) -> WorkerFacts:
        """All of it. `connections` are the counts that only who opens them knows."""
        now = throttling()
        share = self._held_cpu / self._held_seconds / self._limit if self._held_seconds else 0.0
        return WorkerFacts(
            index=index,
            pod=pod,
            cpu_limit=self._limit,
            cpu_share=round(share, 4),
            cpu_share_most=round(self._worst, 4),
            periods=now.periods - self._throttling.periods,
            throttled_periods=now.throttled - self._throttling.throttled,
            throttled_seconds=round(now.seconds - self._throttling.seconds, 3),
            lag_p99=self._lag.percentile(99) or 0.0,
            lag_most=self._lag.highest or 0.0,
            sockets_least=self._least or 0,
            sockets_most=self._most,
            descriptors_most=self._descriptors,
            descriptors_limit=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
            ports_most=self._ports,
            ports_limit=port_range(),
            memory_most=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            counts=counts,
            **connections,
        )
