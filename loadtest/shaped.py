"""A load that follows a traffic shape: what its generator is told, and what it says."""

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from loadtest.calibration.spec import MOST_TEXTS
from loadtest.spec import Strict
from nlpserve.autoscale_results import SecondCounts
from nlpserve.load_results import Facts
from nlpserve.load_shapes import Profile

SECOND = "second "
"""Begins a line of the log with one second's counts, as JSON."""


LEARN_SHARE: Final = 0.2
"""Of a pod's capacity: what comes before the load must not move an autoscaler."""
LEARN_SECONDS: Final = 40
MOST_LEARNED: Final = 200
LEAST_LEARNED: Final = 20


def texts_to_learn(capacity: float) -> int:
    """So many can be asked in time of a pod with this capacity in requests/s."""
    return max(LEAST_LEARNED, min(MOST_LEARNED, round(LEARN_SHARE * capacity * LEARN_SECONDS)))


class ShapedLoad(Strict):
    """What the generator in the pod does."""

    url: Annotated[str, StringConstraints(pattern=r"^http://[^/?#@]+$")]
    model: str
    load: Profile
    """Requests a second, one text each."""
    objective_seconds: float = Field(gt=0, le=60)
    texts: tuple[str, ...] = Field(default=(), max_length=MOST_TEXTS)
    """The user's own; none: made-up sentences of the model's language."""
    made_up: int = Field(default=MOST_LEARNED, ge=1, le=10_000)
    learn_rate: float = Field(gt=0)
    """Texts that are asked a second before the load, to learn the right answers."""
    timeout_seconds: float = Field(default=10, gt=0, le=300)
    wait_seconds: float = Field(default=90, gt=0, le=600)
    connection_seconds: float = Field(default=5, gt=0, le=600)
    """A connection is replaced at this age, so that new pods get their share."""

    @property
    def seconds(self) -> float:
        """That it takes: learning, then the load."""
        return (len(self.texts) or self.made_up) / self.learn_rate + self.load.end


def second_counts(log: list[str]) -> list[SecondCounts]:
    """Those of the log's lines."""
    told = [line.removeprefix(SECOND) for line in log if line.startswith(SECOND)]
    return [SecondCounts.model_validate_json(each) for each in told]


class ShapedResult(Facts):
    """The generator's last word."""

    began: float
    """When second 0 was, in seconds since 1970 by the node's clock."""
    seconds: int
    """Lines that it has written."""
    sent: int
    late_seconds: float
    """That a request began after it was due, 99th percentile."""
    cpu: float
    """Cores that it used."""
