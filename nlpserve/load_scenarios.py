"""What a load test is: the scenario file's schema. docs/load-testing.md shows it at work."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from nlpserve.load_shapes import Part, Profile

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]
Url = Annotated[str, StringConstraints(pattern=r"^http://[^/?#@\s]+$")]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Ratio = Annotated[float, Field(ge=0, le=1)]
Percentile = Literal["p50", "p75", "p90", "p95", "p99", "p99.9"]


class TargetPart(Part):
    """What is loaded: a model of a release, found by the chart's labels."""

    model: Name
    """Its name in the chart's values."""
    namespace: str | None = None
    """Where it is; else the namespace of the kubeconfig's context."""
    release: str | None = None
    """Helm release; needed when several in the namespace have the model."""
    route: Literal["v1", "intent", "emotion"] = "v1"
    """`v1`: POST /v1/models/MODEL/classify. `intent`: GET /api/intent. `emotion`: POST /."""
    url: Url | None = None
    """Load this address in place of the model's Service, such as an ingress."""


class TextsPart(Part):
    """What is sent, one text a request."""

    language: Literal["auto", "fr", "en"] = "auto"
    """Of the shipped made-up sentences; `auto`: the model's own, by its word."""
    count: int = Field(default=1_000, ge=1, le=20_000)
    """Distinct texts; they take turns."""
    file: str | None = None
    """A text file of your own, one text a line, of at most 900 KB; relative to the scenario."""


class Pause(Part):
    """A time between two bounds, each as likely as any other."""

    least: float = Field(ge=0, le=86_400)
    """Seconds."""
    most: float = Field(ge=0, le=86_400)
    """Seconds."""

    @model_validator(mode="after")
    def _ordered(self) -> "Pause":
        if self.least > self.most:
            raise ValueError("least is above most")
        return self

    @property
    def mean(self) -> float:
        """In seconds."""
        return (self.least + self.most) / 2


class ClosedLoad(Profile):
    """Users who send, wait for the answer, think, and send again. The shape counts users."""

    model: Literal["closed"]
    think_seconds: Pause = Pause(least=0, most=0)
    """From an answer to the user's next request. The first one comes within the longest of them."""
    every_seconds: Seconds | None = None
    """In place of thinking: a user's requests are meant to begin so far apart, answered or not."""

    @model_validator(mode="after")
    def _one_pace(self) -> "ClosedLoad":
        if self.every_seconds is not None and self.think_seconds.most > 0:
            raise ValueError("think_seconds and every_seconds exclude each other")
        return self


class OpenLoad(Profile):
    """Requests that begin by the clock, whatever became of others. The shape counts a second's."""

    model: Literal["open"]
    arrivals: Literal["even", "poisson"] = "even"
    """`even`: equally far apart. `poisson`: as independent people would send."""
    most_in_flight: int = Field(default=1_000, ge=1, le=10_000)
    """Of one worker. Requests beyond begin late; their latency counts from when they were due."""


class ConnectionsPart(Part):
    """How long a connection is used. It ends between two requests, never in one."""

    requests: int | None = Field(default=None, ge=1)
    """Requests on one connection; 1: a new one for each. Else as many as come."""
    seconds: Seconds | None = None
    """Age at which it is replaced, so that new pods get their share. Else never."""
    least: int = Field(default=64, ge=1, le=10_000)
    """Of one worker in the open model, used in turn: a few would leave pods without requests."""


class WorkersPart(Part):
    """The pods that make the load, each a process on one core."""

    number: int = Field(default=1, ge=1, le=200)
    """A pod has about 28,000 ports towards one address, and often fewer descriptors."""
    cpu: str = "1"
    """CPU limit of each, as Kubernetes writes it."""
    cpu_request: str = "100m"
    """What the scheduler keeps free for each."""
    memory: str = "512Mi"
    """Memory limit of each, and request."""
    start_seconds: Seconds = 120
    """Longest time until all have started and know the target."""


class Objectives(Part):
    """What must hold for PASS. Latencies and rates are those of the time after the rise."""

    latency: dict[Percentile, Seconds] = Field(default={})
    """Percentile → longest time in seconds, from the intended start to the whole answer."""
    failure_ratio: Ratio = 0.0
    """Largest share of all requests, the rise included, without the right answer. 503 is one."""
    answered_rate: float | None = Field(default=None, gt=0)
    """Fewest answers a second."""


class Validity(Part):
    """Beyond these limits the run tells nothing about the target: INVALID."""

    most_cpu: Ratio = 0.9
    """Share of its CPU limit that a worker used, on average after the rise."""
    most_throttled: Ratio = 0.1
    """Share of the scheduler's periods in which a worker was held back by its CPU limit."""
    most_lag_seconds: Seconds = 0.1
    """99th percentile of how late a worker's event loop was."""
    least_rate: Ratio = 0.95
    """Share of the intended requests that were sent, open model or every_seconds."""
    least_users: Ratio = 0.99
    """Share of the intended users that were there, in each second after the rise."""
    most_ports: Ratio = 0.9
    """Share of a worker's ports towards the target."""
    most_descriptors: Ratio = 0.9
    """Share of a worker's file descriptors."""
    most_skew: float = Field(default=1.5, gt=1)
    """A pod's share of the requests over an equal share; looked at when no pods come or go."""
    most_uncounted: int = Field(default=0, ge=0)
    """Requests by which the pods' counters and ours may differ, after all that explains itself."""


class Scenario(Part):
    """A load test."""

    name: Name
    """In names of objects and files."""
    description: str = ""
    """What it shows."""
    target: TargetPart
    """What is loaded."""
    load: Annotated[ClosedLoad | OpenLoad, Field(discriminator="model")]
    """How."""
    texts: TextsPart = TextsPart()
    """With what."""
    connections: ConnectionsPart = ConnectionsPart()
    """On what."""
    timeout_seconds: float = Field(default=30, gt=0, le=600)
    """Longest time from the send to the whole answer."""
    workers: WorkersPart = WorkersPart()
    """From where."""
    objectives: Objectives = Objectives()
    """PASS or FAIL."""
    validity: Validity = Validity()
    """Or INVALID."""
    expected: list[Literal["rollout", "scaling"]] = Field(default=[])
    """What may happen to the target meanwhile: pods replaced, or pods added and removed."""
    prometheus: Url | None = "http://prometheus.monitoring:9090"
    """Asked for queue wait, batch size and CPU; a run goes on without it."""
