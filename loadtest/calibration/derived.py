"""From what a pod held to the settings of the chart. Each rule says why."""

import math
from typing import Final

from pydantic import Field

from loadtest.autoscaling.chart import cores, mebibytes
from loadtest.calibration.search import Found
from loadtest.calibration.trials import MOST_CPU, Objective, Trial
from nlpserve.autoscaling import Calibration, LoadPoint
from nlpserve.load_results import Facts

TARGET_SHARE: Final = 0.7
"""Of the capacity, at which the autoscaler wants each pod: the rest is for the time that another
pod takes to start. The chart refuses a higher CPU target and a higher share of the queue."""
DEADLINE_OBJECTIVES: Final = 10
"""An answer that is so many times later than the objective wants helps nobody."""

LEAST_GENERATOR_CPU: Final = 0.01
"""Cores; of less it cannot be told what a request costs."""


class PodFacts(Facts):
    """Of the pinned pod."""

    schedule_seconds: float = Field(ge=0)
    ready_seconds: float = Field(gt=0)
    idle_cpu: float = Field(ge=0)
    """Cores without a request."""
    memory_mib: float = Field(gt=0)
    """Resident, at the end."""


class Release(Facts):
    """What the Deployment has now; quantities as Kubernetes writes them."""

    cpu: str
    """The limit, else the request."""
    limits: dict[str, str]
    memory: str
    """The request, else the limit."""
    queue_limit: int
    deadline_seconds: float
    max_batch_size: int
    max_texts: int


class Derived(Facts):
    """Settings of the chart, by their names."""

    capacity: float
    cpu_percent: int
    in_flight: float
    queue_limit: int
    deadline_seconds: float
    cpu_request: str
    warnings: list[str] = Field(default=[])


def derive(found: Found, objective: Objective, release: Release) -> Derived:
    """What differs from the release, and what belongs to it."""
    limit = cores(release.cpu)
    at = interpolated(found, found.capacity * TARGET_SHARE)
    warnings = []
    percent = round(100 * at.cpu / limit)
    if percent > 100 * TARGET_SHARE:
        warnings.append(
            f"At {TARGET_SHARE:.0%} of the capacity a pod uses {percent} % of its CPU limit:"
            " cpuPercent is set to 70, which is fewer requests/s than that."
        )
    if percent < 20:
        warnings.append(
            f"At {TARGET_SHARE:.0%} of the capacity a pod uses only {percent} % of its CPU limit:"
            " CPU is no good signal here, use the mode keda."
        )
    latest = DEADLINE_OBJECTIVES * objective.seconds
    deadline = max(objective.seconds, min(release.deadline_seconds, latest))
    # What waits longer than the deadline is shed, so a longer queue holds nothing of use.
    fewest = max(release.max_batch_size, release.max_texts)
    queue = max(fewest, math.ceil(found.saturation * deadline))
    queue = min(queue, max(fewest, release.queue_limit))
    return Derived(
        capacity=_short(found.capacity),
        cpu_percent=max(1, min(round(100 * TARGET_SHARE), percent)),
        in_flight=max(0.01, _short(min(at.in_flight, TARGET_SHARE * queue))),
        queue_limit=queue,
        deadline_seconds=deadline,
        cpu_request=f"{max(10, min(math.ceil(limit * 100) * 10, math.ceil(at.cpu * 100) * 10))}m",
        warnings=warnings,
    )


def calibration(
    name: str, found: Found, objective: Objective, release: Release, pod: PodFacts
) -> Calibration:
    """The numbers for `plan` and `simulate`."""
    derived = derive(found, objective, release)
    return Calibration(
        model=name,
        capacity=found.capacity,
        saturation=found.saturation,
        objective_seconds=objective.seconds,
        objective_share=objective.share,
        cpu_limit=cores(release.cpu),
        cpu_request=cores(derived.cpu_request),
        memory_request_mib=mebibytes(release.memory),
        queue_limit=derived.queue_limit,
        deadline_seconds=derived.deadline_seconds,
        idle_cpu=pod.idle_cpu,
        points=tuple(points(found)),
        schedule_seconds=min(pod.schedule_seconds, pod.ready_seconds),
        ready_seconds=pod.ready_seconds,
        measured_pods=1,
        worker_rate=worker_rate(found.check),
    )


def worker_rate(trial: Trial) -> float | None:
    """Requests a second of a generator with all the CPU it may use. None: too little to tell."""
    if trial.generator_cpu < LEAST_GENERATOR_CPU:
        return None
    return _short(trial.sent / trial.seconds / trial.generator_cpu * MOST_CPU)


def points(found: Found) -> list[LoadPoint]:
    """As measured, with texts in flight as the autoscaler will see them."""
    return [
        LoadPoint(rate=each.rate, in_flight=in_flight(each), cpu=each.cpu) for each in found.points
    ]


def in_flight(trial: Trial) -> float:
    """By the pod's own word, else by Little's law."""
    return trial.little if trial.gauge is None else trial.gauge


def interpolated(found: Found, rate: float) -> LoadPoint:
    """On a straight line between the measured points; the rate lies between the first and last."""
    low, *rest = points(found)
    for high in rest:
        if rate <= high.rate:
            share = (rate - low.rate) / (high.rate - low.rate)
            return LoadPoint(
                rate=rate,
                in_flight=low.in_flight + share * (high.in_flight - low.in_flight),
                cpu=low.cpu + share * (high.cpu - low.cpu),
            )
        low = high
    return low


def _short(number: float) -> float:
    """Three digits are more than was measured."""
    return float(f"{number:.3g}")
