"""What a load test says: outcomes, counts, verdicts and the result file."""

from enum import StrEnum
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_VERSION: Final = 1


class Verdict(StrEnum):
    """PASS and FAIL say something about the target; INVALID says that the run could not tell."""

    PASS = "PASS"  # noqa: S105  no password
    FAIL = "FAIL"
    INVALID = "INVALID"

    @property
    def exit_code(self) -> int:
        """What the command ends with."""
        return (Verdict.PASS, Verdict.FAIL, Verdict.INVALID).index(self)


def worst(verdicts: list[Verdict]) -> Verdict:
    """INVALID before FAIL before PASS; of nothing, nothing can be told."""
    return max(verdicts, key=lambda verdict: verdict.exit_code, default=Verdict.INVALID)


class Outcome(StrEnum):
    """What became of a request. Every one but `answered` is a loss."""

    ANSWERED = "answered"  # 2xx, and the model's right answer
    SHED = "shed"  # 503
    STATUS = "status"  # any other status
    WRONG = "wrong"  # 2xx, but not the right answer
    REFUSED = "refused"  # nobody listened
    UNREACHABLE = "unreachable"  # no way to the address
    RESET = "reset"  # the connection ended before the answer was whole
    TIMED_OUT = "timed_out"


LOSSES: Final = tuple(outcome for outcome in Outcome if outcome is not Outcome.ANSWERED)


class Facts(BaseModel):
    """Base of all parts of a result: nothing unknown gets in."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Counts(Facts):
    """`sent` is counted when a request begins, the others when it ends, so they can disagree."""

    sent: int = Field(default=0, ge=0)
    answered: int = Field(default=0, ge=0)
    shed: int = Field(default=0, ge=0)
    status: int = Field(default=0, ge=0)
    wrong: int = Field(default=0, ge=0)
    refused: int = Field(default=0, ge=0)
    unreachable: int = Field(default=0, ge=0)
    reset: int = Field(default=0, ge=0)
    timed_out: int = Field(default=0, ge=0)

    def count(self, outcome: Outcome) -> None:
        """Note what became of a request."""
        setattr(self, outcome, getattr(self, outcome) + 1)

    @property
    def lost(self) -> int:
        """Requests that were not answered rightly."""
        return sum(getattr(self, outcome) for outcome in LOSSES)

    @property
    def ended(self) -> int:
        """Requests of which it is known what became of them."""
        return self.answered + self.lost

    def __add__(self, other: Self) -> Self:
        """Both together."""
        mine, theirs = self.model_dump(), other.model_dump()
        return self.__class__(**{name: mine[name] + theirs[name] for name in mine})


class Loss(Facts):
    """One lost request, as an example."""

    second: float
    """Since the load's begin."""
    kept: bool
    """On a connection that had been kept."""
    outcome: Outcome
    detail: str


class LoadFacts(Facts):
    """What the generator counted in one run."""

    model_version: str
    """By the service's own word."""
    kept: Counts
    """On keep-alive connections."""
    new: Counts
    """On a new connection each."""
    seconds: float = Field(gt=0)
    slowest_answer: float = Field(ge=0)
    latest_start: float = Field(ge=0)
    """Seconds that a request began after its time, at most."""
    longest_lag: float = Field(ge=0)
    """Seconds that the generator itself was held up, at most."""
    connections: int = Field(ge=0)
    """Kept connections that were opened."""
    closed_by_answer: int = Field(ge=0)
    """Kept connections that the server ended in order, with `Connection: close`."""
    closed_idle: int = Field(ge=0)
    """Kept connections found closed before anything was sent: no loss."""
    losses: list[Loss] = []
    """The first few."""

    @property
    def total(self) -> Counts:
        """Both kinds together."""
        return self.kept + self.new


class Disruption(StrEnum):
    """What is done to the target while the load runs."""

    RESTART = "restart"  # a rolling update: every pod is replaced
    SCALE_DOWN = "scale-down"  # from several pods to one
    DELETE = "delete"  # one pod is deleted


class DisruptionFacts(Facts):
    """What the cluster showed of it."""

    sent_before: int = Field(ge=0)
    """Requests sent when it began."""
    sent_after: int = Field(ge=0)
    """Requests sent when it was over, terminated pods gone and new ones ready."""
    lost_before: int = Field(ge=0)
    """Requests lost when it began."""
    seconds: float = Field(ge=0)
    pods_before: int = Field(ge=0)
    pods_gone: int = Field(ge=0)
    pods_new: int = Field(ge=0)


class Run(Facts):
    """One load with one disruption."""

    disruption: Disruption
    repeat: int = Field(ge=1)
    requests: int = Field(ge=1)
    rate: float = Field(gt=0)
    """Requests a second that were meant."""
    load: LoadFacts | None = None
    disrupted: DisruptionFacts | None = None
    verdict: Verdict
    reasons: list[str] = []


class TargetFacts(Facts):
    """What was loaded."""

    model: str
    namespace: str
    deployment: str
    image: str
    pre_stop_seconds: float | None
    """None: no pause before SIGTERM."""
    grace_seconds: int
    environment: dict[str, str]
    """The service's settings that the Deployment sets."""


class NodeFacts(Facts):
    """A node, without its name."""

    kubelet: str
    system: str
    kernel: str
    runtime: str
    cpus: str
    memory: str


class ClusterFacts(Facts):
    """Where it ran."""

    version: str
    nodes: list[NodeFacts]


class RolloutResult(Facts):
    """What `python -m loadtest rollout` writes."""

    schema_version: int = SCHEMA_VERSION
    version: str
    commit: str
    started: str
    seconds: float
    load_average: float | None
    """Of the machine that the command ran on, at the begin."""
    target: TargetFacts
    cluster: ClusterFacts
    load_image: str
    clients: int
    timeout_seconds: float
    runs: list[Run]
    verdict: Verdict
