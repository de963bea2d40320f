"""What the coordinator and its workers say to each other: one line of JSON each, over TCP."""

from typing import Final, Literal

from pydantic import Field

from nlpserve.load_results import Facts, Loss
from nlpserve.load_scenarios import Scenario
from nlpserve.load_tests import Measured, Second, WorkerFacts

MAX_LINE_BYTES: Final = 64 << 20


class Hello(Facts):
    """A worker is there."""

    says: Literal["hello"] = "hello"
    index: int = Field(ge=0)
    pod: str


class Known(Facts):
    """The right answer to a text."""

    label: str
    scores: dict[str, float]
    """Empty where the route gives none."""


class Plan(Facts):
    """All that a worker needs."""

    says: Literal["plan"] = "plan"
    scenario: Scenario
    host: str
    """For the Host header."""
    address: str
    port: int
    texts: list[str]
    answers: list[Known]
    """To each text; none when the target gave none before the load: then any counts."""
    index: int
    number: int
    """Of workers."""
    run: str = ""
    """Name of the run, for metrics."""


class Ready(Facts):
    """The worker waits for the begin."""

    says: Literal["ready"] = "ready"


class Begin(Facts):
    """The load begins now."""

    says: Literal["begin"] = "begin"


class Tick(Facts):
    """A second of one worker is over."""

    says: Literal["tick"] = "tick"
    second: Second


class Done(Facts):
    """The worker's last word."""

    says: Literal["done"] = "done"
    rise: Measured
    hold: Measured
    drain: float
    losses: list[Loss]
    facts: WorkerFacts


class Failed(Facts):
    """The worker gives up: something of its own went wrong."""

    says: Literal["failed"] = "failed"
    text: str


class Run(Facts):
    """What the coordinator is told when its Job is made."""

    name: str
    """Of the Job."""
    scenario: Scenario
    commit: str
    image: str
    texts_file: str | None = None
    """Where the mounted texts lie."""
