"""What decides how many pods there are: the autoscaler's settings, the cluster's, and a pod's own.

The names of the settings are those of the chart and of Kubernetes' autoscaling/v2.
"""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

CALIBRATION_VERSION: Final = 1


class Setting(BaseModel):
    """Base of all parts: nothing unknown, nothing changed later; names as Kubernetes has them."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        alias_generator=to_camel,
        populate_by_name=True,
    )


class Policy(Setting):
    """How many pods may come, or go, within a period."""

    type: Literal["Pods", "Percent"]
    value: int = Field(ge=1, le=1_000_000)
    period_seconds: int = Field(ge=1, le=1_800)


def _share(given: Any) -> Any:  # noqa: ANN401  whatever the API has
    """Kubernetes writes 0.05 as 50m."""
    milli = isinstance(given, str) and given.endswith("m")
    return f"{given[:-1]}e-3" if milli else given


class ScalingRules(Setting):
    """How fast it goes in one direction."""

    stabilization_window_seconds: int = Field(ge=0, le=3_600)
    """Up: the lowest wish of so many seconds counts. Down: the highest."""
    select_policy: Literal["Max", "Min", "Disabled"] = "Max"
    """Which of the policies counts: the one that allows the most, or the least."""
    policies: tuple[Policy, ...] = Field(min_length=1)
    tolerance: Annotated[float | None, BeforeValidator(_share)] = Field(default=None, ge=0, le=1)
    """How far from its target the metric may be; else the controller's own."""


class Behavior(Setting):
    """Kubernetes' defaults, unless the chart says otherwise."""

    scale_up: ScalingRules = ScalingRules(
        stabilization_window_seconds=0,
        policies=(
            Policy(type="Percent", value=100, period_seconds=15),
            Policy(type="Pods", value=4, period_seconds=15),
        ),
    )
    scale_down: ScalingRules = ScalingRules(
        stabilization_window_seconds=300,
        policies=(Policy(type="Percent", value=100, period_seconds=15),),
    )


class Fallback(Setting):
    """What KEDA says while its source does not answer."""

    failure_threshold: int = Field(default=3, ge=0)
    """More failures in a row than this, and it is in force."""
    replicas: int = Field(default=4, ge=0)
    behavior: Literal[
        "static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower"
    ] = "static"


class Keda(Setting):
    """The Prometheus trigger of a ScaledObject, type AverageValue."""

    in_flight: float = Field(gt=0)
    """Texts in flight that a pod should have, on average."""
    window_seconds: float = Field(default=30, gt=0)
    """The query averages each pod over so long."""
    polling_interval: float = Field(default=10, gt=0)
    use_cached_metrics: bool = False
    """False, KEDA's default: each of the autoscaler's questions goes through to Prometheus, and the
    polling interval decides only about waking from zero pods and about counting failures."""
    fallback: Fallback | None = Fallback()


class Autoscaler(Setting):
    """One model's."""

    mode: Literal["none", "cpu", "keda"]
    min_replicas: int = Field(default=1, ge=1)
    max_replicas: int = Field(ge=1)
    cpu_target: float = Field(gt=0)
    """Cores that a pod should use, on average."""
    behavior: Behavior = Behavior()
    keda: Keda | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.min_replicas > self.max_replicas:
            raise ValueError("minReplicas is above maxReplicas")
        if self.mode == "keda" and self.keda is None:
            raise ValueError("the mode is keda, but its settings are missing")
        return self


class ClusterTiming(Setting):
    """The cluster's own settings that no chart has; the defaults are Kubernetes' and ours."""

    sync_seconds: float = Field(default=15, gt=0)
    """kube-controller-manager, --horizontal-pod-autoscaler-sync-period."""
    tolerance: float = Field(default=0.1, ge=0, le=1)
    """--horizontal-pod-autoscaler-tolerance."""
    cpu_initialization_seconds: float = Field(default=300, ge=0)
    """--horizontal-pod-autoscaler-cpu-initialization-period."""
    initial_readiness_seconds: float = Field(default=30, ge=0)
    """--horizontal-pod-autoscaler-initial-readiness-delay."""
    metrics_seconds: float = Field(default=15, gt=0)
    """metrics-server, --metric-resolution."""
    scrape_seconds: float = Field(default=5, gt=0)
    """Prometheus, scrape_interval."""


class LoadPoint(Setting):
    """What one pod was like at one rate."""

    rate: float = Field(ge=0)
    """Requests a second, one text each."""
    in_flight: float = Field(ge=0)
    """Texts in flight, on average."""
    cpu: float = Field(ge=0)
    """Cores that it used, on average."""
    throttled: float | None = Field(default=None, ge=0)
    """Share of the periods of its CPU limit in which it was stopped, where it tells."""


Points = Annotated[tuple[LoadPoint, ...], Field(max_length=1_000)]


class Calibration(Setting):
    """What one pod holds, as measured: the numbers behind `plan` and `simulate`."""

    schema_version: int = CALIBRATION_VERSION
    model: str
    capacity: float = Field(gt=0)
    """Requests a second at which the objective still holds; the lower 95 % bound."""
    saturation: float = Field(gt=0)
    """Requests a second that it answers at most, whatever the latency."""
    objective_seconds: float = Field(gt=0)
    """Longest time of an answer,"""
    objective_share: float = Field(gt=0, lt=1)
    """for so large a share of the requests."""
    cpu_limit: float = Field(gt=0)
    """Cores; the request where there is no limit."""
    cpu_request: float = Field(gt=0)
    """Cores that the scheduler keeps free."""
    memory_request_mib: float = Field(gt=0)
    queue_limit: int = Field(default=2048, ge=1)
    """Texts that may wait."""
    deadline_seconds: float = Field(default=5, gt=0)
    """Longest wait for the model; what would wait longer is shed."""
    idle_cpu: float = Field(default=0, ge=0)
    """Cores without any request."""
    points: Points = Field(min_length=1)
    """At different rates, none above the saturation."""
    schedule_seconds: float = Field(default=1, ge=0)
    """From a pod's creation to its container's start."""
    ready_seconds: float = Field(gt=0)
    """From a pod's creation until it is Ready."""
    max_batch_size: int | None = Field(default=None, ge=1)
    """Texts that the model runs together at most."""
    measured_pods: int = Field(default=1, ge=1)
    """Most pods that were loaded together; what lies far beyond is extrapolated."""
    worker_rate: float | None = Field(default=None, gt=0)
    """Requests a second that one load worker made with CPU to spare."""
    commit: str = ""
    """By which it was measured,"""
    started: str = ""
    """and when."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.capacity > self.saturation:
            raise ValueError("capacity is above saturation")
        rates = [point.rate for point in self.points]
        if rates != sorted(set(rates)):
            raise ValueError("points must have rising rates")
        if self.schedule_seconds > self.ready_seconds:
            raise ValueError("scheduleSeconds is above readySeconds")
        return self

    def at(self, rate: float) -> LoadPoint:
        """In flight and CPU at a rate, on straight lines between the points, from idle on."""
        low = LoadPoint(rate=0, in_flight=0, cpu=self.idle_cpu)
        for high in self.points:
            if rate <= high.rate:
                share = 0 if high.rate == low.rate else (rate - low.rate) / (high.rate - low.rate)
                return LoadPoint(
                    rate=rate,
                    in_flight=low.in_flight + share * (high.in_flight - low.in_flight),
                    cpu=low.cpu + share * (high.cpu - low.cpu),
                )
            low = high
        return low  # beyond the last point it is as full as it was there

    def rate_at_cpu(self, cpu: float) -> float:
        """The lowest rate at which a pod uses so many cores; the last point's where none does."""
        low = LoadPoint(rate=0, in_flight=0, cpu=self.idle_cpu)
        if cpu <= low.cpu:
            return 0.0
        for high in self.points:
            if cpu <= high.cpu:
                return low.rate + (cpu - low.cpu) / (high.cpu - low.cpu) * (high.rate - low.rate)
            low = high
        return low.rate
