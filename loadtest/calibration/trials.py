"""One load at one rate: what was asked for, what it showed, whether it may be believed."""

import math
from typing import Final

from pydantic import Field

from nlpserve.load_results import Facts

LEAST_SENT: Final = 0.95
"""Of the requests that were meant; fewer, and the pod was spared."""
MOST_CPU: Final = 0.9
"""Of its core that the generator may use."""
MOST_LAG: Final = 0.2
"""Of the objective's time that the generator may be late by itself, at its 99th percentile."""
MOST_GROWTH: Final = 0.03
"""Of a load's requests that may pile up while it lasts: what does will be late some time."""
LEAST_GROWTH: Final = 3.0
"""Requests; fewer come and go by chance."""
CLEARLY: Final = 3.0
"""Times what may be late or pile up; a failure by less may be chance."""
BAD_MOMENT: Final = 0.3
"""Seconds whose requests may all be late because the machine did something else."""


class Objective(Facts):
    """The share of all requests that has to be answered in so many seconds; a loss is not."""

    seconds: float = Field(gt=0)
    share: float = Field(gt=0, lt=1)


class Wish(Facts):
    """A load that the search wants to see."""

    rate: float = Field(gt=0)
    """Requests a second, for each pod."""
    seconds: float = Field(gt=0)
    sample_seconds: float = Field(default=0, ge=0)
    """How often to ask the pod for its texts in flight meanwhile, which costs it CPU. 0: never."""


class Trial(Facts):
    """What a load showed. Latencies count from when a request was meant to begin.

    Rates, CPU and what is in flight are of one pod, on average over all; the other numbers are
    those of all pods together.
    """

    rate: float = Field(gt=0)
    """Requests a second that were meant."""
    seconds: float = Field(gt=0)
    meant: int = Field(ge=1)
    sent: int = Field(ge=0)
    answered: int = Field(ge=0)
    in_time: int = Field(ge=0)
    """Answered within the objective's seconds."""
    wrong: int = Field(default=0, ge=0)
    """Answers that were none of this model's to this text."""
    mean_seconds: float = Field(ge=0)
    """Latency, on average over all that ended."""
    share_seconds: float = Field(ge=0)
    """Latency that the objective's share of the answers stayed below."""
    answered_rate: float = Field(ge=0)
    """Answers a second in the second half of the load."""
    open: float = Field(ge=0)
    """Requests without an answer, on average over samples."""
    growth: float = 0.0
    """Requests a second that all of them grew by, from the load's middle third to its last."""
    gauge: float | None = None
    """Texts in flight by the pod's own word, on average over samples; what KEDA looks at."""
    cpu: float = Field(ge=0)
    """Cores that the pod used."""
    throttled: float | None = Field(default=None, ge=0)
    """Share of the periods of its CPU limit in which it was stopped. None: it does not tell."""
    generator_cpu: float = Field(ge=0)
    """Cores that the generator used."""
    lag: float = Field(ge=0)
    """Seconds that the generator was late, 99th percentile."""

    def meets(self, objective: Objective) -> bool:
        """Whether enough of what was meant was answered in time.

        Of n requests of a pod exactly at the objective (1 - share) n are late on average, and the
        median of such a small number is a third above its floor: so many may be.
        """
        return self.meant - self.in_time <= math.floor(self._may_be_late(objective) + 1 / 3)

    def holds(self, objective: Objective) -> bool:
        """Whether it would meet the objective for ever: nothing piles up that is late later."""
        return self.meets(objective) and self._grown <= self._may_grow

    def fails_clearly(self, objective: Objective) -> bool:
        """Whether so much was late or piled up that no bad moment of the machine explains it."""
        late = self.meant - self.in_time
        return (
            late > CLEARLY * self._may_be_late(objective) + BAD_MOMENT * self.rate
            or self._grown > CLEARLY * self._may_grow
        )

    def _may_be_late(self, objective: Objective) -> float:
        return (1 - objective.share) * self.meant

    @property
    def _grown(self) -> float:
        return self.growth * self.seconds

    @property
    def _may_grow(self) -> float:
        return max(LEAST_GROWTH, MOST_GROWTH * self.meant)

    @property
    def little(self) -> float:
        """Requests in flight by Little's law: rate times mean latency."""
        return self.rate * self.sent / self.meant * self.mean_seconds

    def problems(self, objective: Objective) -> list[str]:
        """Why it tells nothing about the pod; nothing of it when it does."""
        found = []
        if self.sent < LEAST_SENT * self.meant:
            found.append(f"{self.sent} of {self.meant} requests were sent")
        if self.generator_cpu > MOST_CPU:
            found.append(f"the generator used {self.generator_cpu:.2f} of its core")
        if self.lag > MOST_LAG * objective.seconds:
            found.append(f"the generator was late by {self.lag:.3f} s")
        if self.wrong:
            found.append(f"{self.wrong} answers were wrong")
        return [f"at {self.rate:.1f} requests/s {line}" for line in found]
