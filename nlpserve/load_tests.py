"""The result of `python -m loadtest run`. Times are in seconds unless a name says otherwise.

`second` counts from the begin of the load; the rise comes first, then the hold, the time that
objectives look at.
"""

from enum import StrEnum
from typing import Final, Literal

from pydantic import Field

from nlpserve.latency import Histogram
from nlpserve.load_facts import (
    Agreement,
    PodFacts,
    ReplicaPoint,
    Series,
    TargetState,
    WorkerFacts,
)
from nlpserve.load_results import ClusterFacts, Counts, Facts, Loss, Verdict
from nlpserve.load_scenarios import Scenario

__all__ = [
    "RESULT_VERSION", "SHOWN", "Achieved", "Agreement", "LoadTestResult", "Measured",
    "ObjectiveResult", "PodFacts", "Reason", "ReasonCode", "ReplicaPoint", "Second", "Series",
    "TargetState", "WorkerFacts",
]  # fmt: skip

RESULT_VERSION: Final = 1
SHOWN: Final = (50.0, 75.0, 90.0, 95.0, 99.0, 99.9)
"""Percentiles that reports show."""


class ReasonCode(StrEnum):
    """Why a verdict is not PASS. All but `objective` make it INVALID."""

    OBJECTIVE = "objective"  # FAIL: measured and not met
    NOT_RUN = "not_run"  # the run did not come to its end
    UNREACHABLE = "unreachable"  # the target never answered before the load
    WORKER_LOST = "worker_lost"  # a worker's counts are missing
    WORKER_CPU = "worker_cpu"  # a worker had no CPU to spare
    WORKER_THROTTLED = "worker_throttled"  # its CPU limit held a worker back
    WORKER_LAG = "worker_lag"  # a worker's event loop was late
    RATE_MISSED = "rate_missed"  # fewer requests than intended
    USERS_MISSED = "users_missed"  # fewer users than intended
    PORTS = "ports"  # a worker was close to the last port
    DESCRIPTORS = "descriptors"  # a worker was close to the last file descriptor
    SKEWED = "skewed"  # one pod got far more than its share
    PODS_CHANGED = "pods_changed"  # target pods came, went or restarted, and it was not expected
    COUNTS_DISAGREE = "counts_disagree"  # the pods counted something else than the client
    COUNTS_MISSING = "counts_missing"  # a pod's counters could not be read
    UNCHECKED = "unchecked"  # answers came, and the right ones were not known
    SPARED = "spared"  # too little was sent to say anything


class Reason(Facts):
    """One thing that is against PASS."""

    code: ReasonCode
    text: str
    """In words, with the numbers."""


class ObjectiveResult(Facts):
    """One objective and what was measured."""

    name: str
    """`p50` to `p99.9` (s), `failure_ratio` (share), `answered_rate` (requests/s)."""
    unit: Literal["s", "ratio", "1/s"]
    bound: Literal["most", "least"]
    """Which side of the limit is allowed."""
    limit: float
    measured: float | None
    """None: there was nothing to measure."""
    met: bool


class Measured(Facts):
    """Requests whose intended start lies in one part of the load."""

    seconds: float = Field(default=0, ge=0)
    """Length of that part."""
    counts: Counts = Counts()
    """By what became of them."""
    statuses: dict[int, int] = Field(default={})
    """HTTP status → answers with it; requests that got none are not in it."""
    intended: Histogram = Histogram()
    """Latency of right answers from the intended start: what a user would have felt."""
    sent: Histogram = Histogram()
    """Latency of the same from the actual send. Much lower: the load itself was late."""

    def __add__(self, other: "Measured") -> "Measured":
        """Of two workers, or of two parts; the seconds are the longer ones."""
        statuses = dict(self.statuses)
        for status, number in other.statuses.items():
            statuses[status] = statuses.get(status, 0) + number
        return Measured(
            seconds=max(self.seconds, other.seconds),
            counts=self.counts + other.counts,
            statuses=statuses,
            intended=self.intended + other.intended,
            sent=self.sent + other.sent,
        )


class Achieved(Facts):
    """What was meant and what came of it, over the hold."""

    intended_requests: float | None
    """None where users think: then the target's own speed decides how many come."""
    sent: int
    intended_rate: float | None
    """Requests a second."""
    sent_rate: float
    """Requests a second."""
    answered_rate: float
    """Right answers a second."""
    intended_users: float | None
    """Largest of the hold; None in the open model."""
    least_user_share: float | None
    """Smallest share of the intended users in any second of the hold; None in the open model."""


class Second(Facts):
    """One second of the load, of all workers together."""

    second: int = Field(ge=0)
    intended: float
    """Users, or arrivals a second, that the scenario wanted."""
    users: int = 0
    """There at the end of the second; 0 in the open model."""
    in_flight: int = 0
    """Requests without an answer at its end."""
    sent: int = 0
    """Requests that began in it."""
    answered: int = 0
    """Right answers that came in it."""
    failures: int = 0
    """Other ends in it."""
    sockets: list[int] = Field(default=[])
    """Open sockets to the target of each worker, in the order of `workers`."""
    latency: Histogram = Histogram(bits=5)
    """From the intended start, of the answers that came in it; in coarse buckets."""


class LoadTestResult(Facts):
    """One load test."""

    kind: Literal["load-test"] = "load-test"
    schema_version: int = RESULT_VERSION
    version: str
    """Of nlpserve."""
    commit: str
    run: str
    """Name of the coordinator's Job."""
    started: str
    """When the load began, UTC, ISO 8601; the axis of every `second`."""
    seconds: float
    """Of the whole command."""
    verdict: Verdict
    reasons: list[Reason] = Field(default=[])
    scenario: Scenario
    """As it was run, overrides included."""
    load_image: str
    target: TargetState | None = None
    cluster: ClusterFacts | None = None
    load_average: float | None = None
    """Of the node, when the load began."""
    objectives: list[ObjectiveResult] = Field(default=[])
    achieved: Achieved | None = None
    rise: Measured = Measured()
    hold: Measured = Measured()
    drain: float = 0
    """From the end of the hold to the last answer."""
    losses: list[Loss] = Field(default=[])
    """The first few of each worker."""
    timeline: list[Second] = Field(default=[])
    workers: list[WorkerFacts] = Field(default=[])
    pods: list[PodFacts] = Field(default=[])
    agreement: Agreement | None = None
    replicas: list[ReplicaPoint] = Field(default=[])
    prometheus: list[Series] = Field(default=[])
    """Empty when it could not be reached."""

    @property
    def all(self) -> Measured:
        """Rise and hold together."""
        whole = self.rise + self.hold
        return whole.model_copy(update={"seconds": self.rise.seconds + self.hold.seconds})
