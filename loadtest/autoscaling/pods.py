"""A model's pods as a fluid: what comes in, what is answered, what waits, and the CPU it takes.

Requests spread evenly over the ready pods, so pods of one age are alike and one object stands for
all of them. A pod answers at most its saturation, and sheds what would wait longer than its
deadline or find no room.
"""

import math
import random
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from loadtest.autoscaling.proposals import PodState, Reading
from nlpserve.autoscaling import Calibration

HOUSEKEEPING_SECONDS: Final = (10.0, 20.0)
"""Between two looks of the kubelet at a container's CPU, by chance: cAdvisor adds up to as much
again to its 10 s (nextHousekeepingInterval, cAdvisor 0.56)."""
START_CPU_SECONDS = 2.5
"""CPU that Python and the model take to start; measured, see docs/chart.md."""
_EPSILON = 1e-9


@dataclass
class Pods:
    """Pods that were created together. All numbers but `count` are those of one of them."""

    count: int
    created: float
    facts: Calibration
    chance: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311
    waiting: float = 0.0
    """Texts."""
    in_flight: float = 0.0
    cpu_seconds: float = 0.0
    """Used since its start."""
    scraped: deque[tuple[float, float]] = field(default_factory=deque)
    """Prometheus' last samples of in-flight texts."""
    noted: tuple[float, float] | None = None
    """The kubelet's last sample of CPU seconds; its clock is the container's own."""
    _next_note: float = -math.inf
    measured: list[tuple[float, float]] = field(default_factory=list)
    """metrics-server's last two samples, which are the kubelet's."""

    @property
    def started(self) -> float:
        """When its container ran."""
        return self.created + self.facts.schedule_seconds

    @property
    def readied(self) -> float:
        """When it was ready."""
        return self.created + self.facts.ready_seconds

    def ready(self, now: float) -> bool:
        """Whether requests come to it."""
        return now >= self.readied - _EPSILON

    def serve(self, arrivals: float, seconds: float) -> tuple[float, float]:
        """Texts that are answered and shed in a step in which so many arrive."""
        facts = self.facts
        room = min(facts.queue_limit, facts.saturation * facts.deadline_seconds)
        open_ = self.waiting + arrivals
        answered = min(open_, facts.saturation * seconds)
        self.waiting = min(open_ - answered, room)
        at = facts.at(answered / seconds)
        self.in_flight = at.in_flight + self.waiting
        self.cpu_seconds += min(at.cpu, facts.cpu_limit) * seconds
        return answered, open_ - answered - self.waiting

    def start(self, now: float, seconds: float) -> None:
        """A step in which it is not ready yet."""
        if now >= self.started:
            span = max(seconds, self.readied - self.started)
            self.cpu_seconds += min(self.facts.cpu_limit, START_CPU_SECONDS / span) * seconds

    def meets(self, arrivals: float, seconds: float) -> bool:
        """Whether what comes in this step is answered as the objective wants it."""
        in_time = self.waiting <= self.facts.saturation * self.facts.objective_seconds
        return in_time and arrivals <= self.facts.capacity * seconds * (1 + _EPSILON)

    def state(self, now: float, metrics_seconds: float) -> PodState:
        """As the autoscaler sees it."""
        began = now >= self.started
        return PodState(
            pending=not began,
            ready=self.ready(now),
            started=self.created if began else None,
            ready_changed=(self.readied if self.ready(now) else self.started) if began else None,
            reading=self._reading(metrics_seconds),
            count=self.count,
        )

    def note(self, now: float) -> None:
        """The kubelet looks, when it is time."""
        if now >= max(self.started, self._next_note) - _EPSILON:
            self.noted = (now, self.cpu_seconds)
            self._next_note = now + self.chance.uniform(*HOUSEKEEPING_SECONDS)

    def measure(self) -> None:
        """metrics-server asks the kubelet; what it knows already tells it nothing."""
        if self.noted is not None and self.noted not in self.measured[-1:]:
            self.measured = [*self.measured[-1:], self.noted]

    def _reading(self, metrics_seconds: float) -> Reading | None:
        """Of two samples; of one alone when the container was 10 s old, and fresh."""
        points = self.measured
        if len(points) == 1 and 10 <= points[0][0] - self.started < metrics_seconds:
            points = [(self.started, 0.0), *points]
        if len(points) < 2:
            return None
        (first, before), (last, after) = points
        milli = math.ceil((after - before) / (last - first) * 1000 - _EPSILON)
        return Reading(milli=milli, second=last, window=last - first)


def scrape(groups: list[Pods], now: float) -> None:
    """Prometheus looks at every pod whose container runs."""
    for group in groups:
        if now >= group.started:
            group.scraped.append((now, group.in_flight))


def forget(group: Pods, until: float) -> bool:
    """Drop the samples up to a second; whether any are left."""
    while group.scraped and group.scraped[0][0] <= until:
        group.scraped.popleft()
    return bool(group.scraped)
