"""What an autoscaler did, or would do: replica timelines, their scorecard, recorded runs."""

from typing import Final, Literal

from pydantic import Field

from nlpserve.autoscaling import Autoscaler, Calibration, ClusterTiming
from nlpserve.load_results import ClusterFacts, Facts
from nlpserve.load_shapes import Profile

RECORD_VERSION: Final = 1


class PodCount(Facts):
    """Pods at one time. A timeline has a point for each change, the first at second 0."""

    second: float = Field(ge=0)
    wanted: int = Field(ge=0)
    """What the Deployment asks for."""
    ready: int = Field(ge=0)


class SecondCounts(Facts):
    """Requests that were due in one second, by what became of them."""

    second: int = Field(ge=0)
    meant: int = Field(ge=0)
    answered: int = Field(default=0, ge=0)
    in_time: int = Field(default=0, ge=0)
    """Answered within the objective's seconds, from when it was due."""
    shed: int = Field(default=0, ge=0)
    """503."""
    lost: int = Field(default=0, ge=0)
    """Any other end."""
    slowest: float = Field(default=0, ge=0)
    """Latency of the slowest answer."""


class Signal(Facts):
    """What the autoscaler said it saw."""

    second: float
    cpu: float | None = None
    """Cores, average of a pod; None: unknown."""
    in_flight: float | None = None
    """Texts, average of a pod."""


class Score(Facts):
    """How it went, over the whole of a load. Seconds count from the load's begin."""

    replica_minutes: float = Field(ge=0)
    """Pods that were asked for, times minutes: what is paid for."""
    peak: int = Field(ge=0)
    """Most pods asked for."""
    rise_seconds: float | None = None
    """The first second with more than the pods of the begin hold; 0: none has. None: unknown."""
    decision_seconds: float | None = None
    """When more pods were first asked for; None: they never were."""
    started_seconds: float | None = None
    """When the container of a new pod first ran; None in a simulation."""
    ready_seconds: float | None = None
    """When a pod more than at the begin was first ready."""
    met_again_seconds: float | None = None
    """When it held for ten seconds again after a miss, under no less than the rate of that miss.
    None: no miss, or no such end of it."""
    out_of_objective_seconds: float = Field(ge=0)
    """How long, in all, answers were too slow or failed."""
    requests: float = Field(ge=0)
    failed: float = Field(ge=0)
    """Of the requests, those without an answer: shed, or no pod was ready."""
    failed_after_ready: float | None = None
    """Of these, due after a new pod was first ready."""
    pod_hours_per_million: float | None = None
    """Pod-hours for a million answered texts."""
    over_provisioning: float | None = None
    """Share of the pod time that the capacity did not ask for at the rate of its second."""
    shortage: float | None = None
    """Share of the pod time that it did ask for, and that no ready pod gave."""
    flaps: int = Field(ge=0)
    """Changes in the opposite direction within five minutes of the change before."""


class AutoscaleRecord(Facts):
    """One real run on a cluster: what was set, what was sent, what the autoscaler did."""

    kind: Literal["autoscale"] = "autoscale"
    schema_version: int = RECORD_VERSION
    name: str
    """Of the run."""
    held_out: bool
    """Kept out of all fixing of the simulator: only its error is stated."""
    version: str
    commit: str
    started: str
    """UTC, ISO 8601, when the load began."""
    load: Profile
    """Requests a second over time."""
    autoscaler: Autoscaler
    timing: ClusterTiming
    calibration: Calibration
    """Of a pod with the resources of this run."""
    seconds: float = Field(gt=0)
    """How long it was watched, from the load's begin; the load may end before."""
    replicas: list[PodCount] = Field(min_length=1)
    score: Score
    cluster: ClusterFacts | None = None
    load_average: float | None = None
    """Of the machine that the command ran on, at the begin."""
    counts: list[SecondCounts] = Field(default=[])
    signals: list[Signal] = Field(default=[])
