"""What a load test knows of its workers, of the target and its pods. Parts of LoadTestResult."""

from typing import Literal

from pydantic import Field

from nlpserve.load_results import Counts, Facts


class WorkerFacts(Facts):
    """One generator pod."""

    index: int = Field(ge=0)
    pod: str
    cpu_limit: float
    """Cores."""
    cpu_share: float
    """Of its limit (of one core, when the limit is higher), on average over the hold."""
    cpu_share_most: float
    """In the worst second of the hold."""
    periods: int
    """Scheduler periods in which it ran; 0 where the kernel does not tell."""
    throttled_periods: int
    """Of these, in which its limit held it back."""
    throttled_seconds: float
    lag_p99: float
    """How late its event loop was, 99th percentile over the hold."""
    lag_most: float
    sockets_least: int
    """Open sockets to the target, sampled each second of the hold."""
    sockets_most: int
    connections: int
    """Opened in all."""
    closed_idle: int
    """Found closed by the server before anything was sent on them: no loss."""
    closed_by_answer: int
    """Ended by the server in order, with `Connection: close`."""
    closed_by_plan: int
    """Ended by the scenario's connection life."""
    descriptors_most: int
    descriptors_limit: int
    ports_most: int
    """Towards the target, those in TIME_WAIT included as far as they are known."""
    ports_limit: int
    memory_most: int
    """Bytes, resident."""
    counts: Counts
    """Of all its requests."""


class PodFacts(Facts):
    """One pod of the target."""

    name: str
    image_digest: str = ""
    """What the node says it runs."""
    restarts: int = 0
    """While the load ran."""
    first_second: float | None = None
    """When it became ready; None: it was before the load."""
    last_second: float | None = None
    """When it began to end; None: it is still there."""
    before: dict[str, int] = Field(default={})
    """Its counter nlpserve_requests_total of the load's route, status → number, before the load."""
    after: dict[str, int] | None = None
    """The same after it; None: the pod died without a word."""
    source: Literal["metrics", "log", "none"] = "metrics"
    """Where `after` comes from: its metrics, or the last line of its log."""
    foreign: int = 0
    """Requests on other routes or models in the meantime: not ours for certain."""

    @property
    def counted(self) -> dict[str, int]:
        """Requests in the meantime, status → number."""
        after = self.after or {}
        return {
            status: number - self.before.get(status, 0)
            for status, number in after.items()
            if number > self.before.get(status, 0)
        }


class Agreement(Facts):
    """What the pods counted beside what the client counted, learning requests included."""

    client_answers: int
    """Whole answers of any status that the client got."""
    client_unanswered: int
    """Requests that it gave up or that broke; a pod may or may not have counted them."""
    pod_answers: int
    """Requests that the pods counted on the load's route."""
    dead_pods: int
    """Pods whose last counters nobody knows."""
    missing: int
    """Answers that the client got and no pod counted."""
    foreign: int
    """Requests that pods counted and the client cannot have sent, other routes included."""


class Series(Facts):
    """One line over time, from Prometheus."""

    name: str
    """`queue_wait_p50`, `queue_wait_p99`, `batch_size`, `batch_seconds`, `in_flight`, `cpu`, ..."""
    unit: Literal["s", "texts", "cores", "1/s"]
    query: str
    labels: dict[str, str] = Field(default={})
    """Such as the pod."""
    points: list[tuple[float, float]]
    """Second since the load's begin, and the value."""


class ReplicaPoint(Facts):
    """Pods of the target at one time; a point for each change."""

    second: float
    wanted: int
    """What the Deployment asks for."""
    ready: int


class TargetState(Facts):
    """What was loaded."""

    model: str
    model_version: str
    """By the service's own word."""
    artifact_sha256: str
    """Of the model, as its metric model_info says; empty: unknown."""
    url: str
    namespace: str
    deployment: str
    release: str
    image: str
    values_hash: str
    """SHA-256 of the Deployment's pod template, which holds all that the chart's values set."""
    environment: dict[str, str]
    """The service's settings that the Deployment sets."""
    resources: dict[str, dict[str, str]]
    """Requests and limits of the server's container."""
    autoscaler: str | None
    """Its name and bounds."""
