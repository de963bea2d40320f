"""From what a pod held to the settings of the chart. Each rule says why."""

import math
from typing import Any, Final

from pydantic import Field

from loadtest.autoscaling.chart import mebibytes, quantity
from loadtest.calibration.search import POINT_SHARES, TARGET_SHARE, Found
from loadtest.calibration.trials import MOST_CPU, Objective, Trial
from nlpserve.autoscaling import Calibration, LoadPoint
from nlpserve.load_results import Facts

DEFAULTS: Final = {
    "QUEUE_LIMIT": 2048, "DEADLINE_SECONDS": 5, "MAX_BATCH_SIZE": 64, "MAX_TEXTS": 256
}  # fmt: skip
"""The service's and the chart's, for what a Deployment does not set."""
DEADLINE_OBJECTIVES: Final = 10
"""An answer that is so many times later than the objective wants helps nobody."""
LEAST_GENERATOR_CPU: Final = 0.01
"""Cores; of less it cannot be told what a request costs."""
LEAST_IN_FLIGHT: Final = 1.0
"""The smallest target that is written. The autoscaler sees the mean of a few scrapes: with a target
of a fifth of a text, one request that a scrape happens to meet would ask for more pods."""
MOST_APART: Final = 2.0
"""Times that the pod's gauge and Little's law, which counts the way to the pod too, may differ."""


class PodFacts(Facts):
    """Of the pinned pods: of one, on average."""

    pods: int = Field(default=1, ge=1)
    schedule_seconds: float = Field(ge=0)
    ready_seconds: float = Field(gt=0)
    idle_cpu: float = Field(ge=0)
    """Cores without a request."""
    memory_mib: float = Field(gt=0)
    """Resident, at the end."""


class Release(Facts):
    """What the Deployment has now; quantities as Kubernetes writes them."""

    cpu: str
    """The limit."""
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
    limit = quantity(release.cpu)
    at = interpolated(found, found.capacity * TARGET_SHARE)
    warnings = _signals(found)
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
    useful = max(fewest, math.ceil(found.saturation * deadline))
    queue = min(useful, max(fewest, release.queue_limit))
    warnings += [
        f"{name} stays at the release's {own:g}: if an earlier calibration wrote that, take it out,"
        " and calibrate again."
        for name, own, usual, wish in (
            ("queueLimit", queue, DEFAULTS["QUEUE_LIMIT"], useful),
            ("deadlineSeconds", deadline, DEFAULTS["DEADLINE_SECONDS"], latest),
        )
        if own < min(usual, wish)
    ]
    cap = min(queue, max(1, int(found.capacity * deadline)))  # as the chart has it
    return Derived(
        capacity=_short(found.capacity),
        cpu_percent=_percent(at.cpu, limit),
        in_flight=_short(min(max(LEAST_IN_FLIGHT, at.in_flight), TARGET_SHARE * cap)),
        queue_limit=queue,
        deadline_seconds=deadline,
        cpu_request=f"{min(round(limit * 1000), max(10, math.ceil(at.cpu * 100) * 10))}m",
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
        cpu_limit=quantity(release.cpu),
        cpu_request=quantity(derived.cpu_request),
        memory_request_mib=mebibytes(release.memory),
        queue_limit=derived.queue_limit,
        deadline_seconds=derived.deadline_seconds,
        max_batch_size=release.max_batch_size,
        idle_cpu=pod.idle_cpu,
        points=(*points(found), _full(found)),
        schedule_seconds=min(pod.schedule_seconds, pod.ready_seconds),
        ready_seconds=pod.ready_seconds,
        measured_pods=pod.pods,
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
        LoadPoint(rate=each.rate, in_flight=in_flight(each), cpu=each.cpu, throttled=each.throttled)
        for each in found.points
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


def own_settings(facts: Calibration) -> dict[str, Any]:
    """A model's values as its calibration has them, for who is given no others."""
    at = facts.at(facts.capacity * TARGET_SHARE)
    return {
        "autoscaling": {
            "cpuPercent": _percent(at.cpu, facts.cpu_limit),
            "keda": {"inFlight": max(LEAST_IN_FLIGHT, at.in_flight)},
        },
        "resources": {"requests": {"cpu": facts.cpu_request}, "limits": {"cpu": facts.cpu_limit}},
    }


def target_rate(facts: Calibration) -> float:
    """Requests a second at which a pod is at its own CPU target."""
    percent = own_settings(facts)["autoscaling"]["cpuPercent"]
    return facts.rate_at_cpu(facts.cpu_limit * percent / 100)


def _percent(cpu: float, limit: float) -> int:
    return max(1, min(round(100 * TARGET_SHARE), round(100 * cpu / limit)))


def _signals(found: Found) -> list[str]:
    """What is wrong with the texts in flight at the target's share."""
    trial = found.points[POINT_SHARES.index(TARGET_SHARE)]
    least, most = sorted((in_flight(trial), trial.little))
    words = f"texts in flight are {in_flight(trial):.2f} by the pod's gauge, {trial.little:.2f} by"
    words = f"At {TARGET_SHARE:.0%} of the capacity {words} Little's law"
    if in_flight(trial) < LEAST_IN_FLIGHT:
        return [f"{words}: too few for a signal, so inFlight is {LEAST_IN_FLIGHT:g}."]
    if most > MOST_APART * least:
        return [f"{words}: more than {MOST_APART:g} times apart, so inFlight is not well known."]
    return []


def _full(found: Found) -> LoadPoint:
    """At the saturation, with no more in flight than before it: what waits is counted by itself."""
    last = found.points[-1]
    cpu = max(last.cpu, found.full_cpu)
    return LoadPoint(rate=found.saturation, in_flight=in_flight(last), cpu=cpu)
