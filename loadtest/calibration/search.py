"""Finds the knee: the highest rate at which the objective still holds.

A search is a generator: it yields the loads that it wants and is sent what they showed, so it runs
against a pod as against a formula.
"""

import math
import statistics
from collections.abc import Generator
from typing import Final

from pydantic import Field

from loadtest.calibration.trials import Objective, Trial, Wish
from nlpserve.load_results import Facts

STEP: Final = 1.6
"""From one rate to the next until the objective fails."""
WIDEN: Final = 1.35
"""A bracket that does not hold the knee grows by this."""
LOWEST_RATE: Final = 0.2
HIGHEST_RATE: Final = 20_000.0
LEAST_REQUESTS: Final = 300
AGAIN: Final = 2
"""A load that cannot be believed is tried so many times more."""
MOST_SPREAD: Final = 0.25
"""Standard deviation of the knees as a share of their mean; above it nothing is known."""
POINT_SHARES: Final = (0.25, 0.5, 0.7, 0.85, 0.95)
"""Of the capacity, at which CPU and texts in flight are measured."""
FULL: Final = 1.5
"""Of the capacity, at which the pod answers as many as it ever does."""
CHECK: Final = 1.15
"""Of the capacity, at which the objective should fail."""
STUDENT_95: Final = (6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833)
"""Student's t, one-sided 95 %, by degrees of freedom from 1 on."""

Search = Generator[Wish, Trial, "Found"]


class Invalid(Exception):
    """The search cannot tell; the message says why."""


class SearchPlan(Facts):
    """How thoroughly it is done."""

    objective: Objective
    start_rate: float = Field(default=20, ge=LOWEST_RATE, le=HIGHEST_RATE)
    seconds: float = Field(default=6, gt=0)
    """Of each load of the search."""
    most_seconds: float = Field(default=60, gt=0)
    """Of a load that is longer because its rate is low."""
    point_seconds: float = Field(default=8, gt=0)
    """Of each load that CPU and texts in flight are measured at."""
    repeats: int = Field(default=3, ge=2, le=len(STUDENT_95) + 1)
    """How often the knee is looked for."""
    resolution: float = Field(default=0.06, gt=0, le=0.5)
    """Width of the last bracket, as a share."""


class Found(Facts):
    """What the search found."""

    knees: list[float]
    """Requests a second, one for each repeat."""
    mean: float
    capacity: float
    """The lower 95 % bound of their mean."""
    saturation: float
    """Answers a second under more than it holds."""
    points: list[Trial]
    check: Trial
    """At 1.15 of the capacity."""


def search(plan: SearchPlan) -> Search:
    """Raises Invalid."""
    low, high = yield from _bracket(plan)
    knees = [(yield from _bisect(plan, low, high))]
    for repeat in range(1, plan.repeats):
        # Other bounds each time, so that the middle does not fall on the same rates.
        reach = WIDEN * (1 + 0.04 * repeat)
        knees.append((yield from _again(plan, knees[-1] / reach, knees[-1] * reach)))
    mean, capacity = bound(knees)
    points = []
    for share in POINT_SHARES:
        wish = _wish(plan, capacity * share, plan.point_seconds)
        points.append((yield from _believed(plan, wish.model_copy(update={"sample": True}))))
    if not points[-1].meets(plan.objective):
        raise Invalid(
            f"the objective failed at {POINT_SHARES[-1]:.0%} of the capacity that was found"
            f" ({capacity:.1f} requests/s): the machine is busy, or the loads are too short"
        )
    check = yield from _believed(plan, _wish(plan, capacity * CHECK, plan.point_seconds))
    full = yield from _believed(plan, _wish(plan, capacity * FULL, plan.point_seconds))
    saturation = max(mean, full.answered_rate, check.answered_rate)
    return Found(
        knees=knees,
        mean=mean,
        capacity=capacity,
        saturation=saturation,
        points=points,
        check=check,
    )


def bound(knees: list[float]) -> tuple[float, float]:
    """Mean and its lower 95 % bound (Student). Raises Invalid where they lie too far apart."""
    mean, deviation = statistics.fmean(knees), statistics.stdev(knees)
    if deviation > MOST_SPREAD * mean:
        listed = ", ".join(f"{knee:.1f}" for knee in knees)
        raise Invalid(
            f"the knee was found at {listed} requests/s, too far apart: is the machine busy?"
        )
    return mean, mean - STUDENT_95[len(knees) - 2] * deviation / math.sqrt(len(knees))


def _bound_holds(plan: SearchPlan, rate: float) -> Generator[Wish, Trial, bool]:
    """For the bounds, which everything rests on: a failure counts when it comes twice."""
    return (yield from _holds(plan, rate)) or (yield from _holds(plan, rate))


def _holds(plan: SearchPlan, rate: float) -> Generator[Wish, Trial, bool]:
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise Invalid(f"the knee is not between {LOWEST_RATE:g} and {HIGHEST_RATE:g} requests/s")
    trial = yield from _believed(plan, _wish(plan, rate, plan.seconds))
    return trial.meets(plan.objective)


def _wish(plan: SearchPlan, rate: float, seconds: float) -> Wish:
    """Longer where the rate is low: of a few requests nobody can tell 99 % from 98 %."""
    longer = max(seconds, min(plan.most_seconds, LEAST_REQUESTS / rate))
    return Wish(rate=round(rate, 3), seconds=round(longer, 3))


def _believed(plan: SearchPlan, wish: Wish) -> Generator[Wish, Trial, Trial]:
    """The load, again where it tells nothing."""
    problems: list[str] = []
    for _ in range(1 + AGAIN):
        trial = yield wish
        problems = trial.problems(plan.objective)
        if not problems:
            return trial
    raise Invalid("; ".join(problems))


def _bracket(plan: SearchPlan) -> Generator[Wish, Trial, tuple[float, float]]:
    """A rate that holds, and one that does not."""
    rate = plan.start_rate
    if (yield from _bound_holds(plan, rate)):
        while (yield from _bound_holds(plan, rate * STEP)):
            rate *= STEP
        return rate, rate * STEP
    while not (yield from _bound_holds(plan, rate / STEP)):
        rate /= STEP
    return rate / STEP, rate


def _again(plan: SearchPlan, low: float, high: float) -> Generator[Wish, Trial, float]:
    """The knee from bounds that were good for another repeat."""
    while not (yield from _bound_holds(plan, low)):
        low, high = low / WIDEN, low
    while (yield from _bound_holds(plan, high)):
        low, high = high, high * WIDEN
    return (yield from _bisect(plan, low, high))


def _bisect(plan: SearchPlan, low: float, high: float) -> Generator[Wish, Trial, float]:
    while high / low > 1 + plan.resolution:
        middle = math.sqrt(low * high)
        if (yield from _holds(plan, middle)):
            low = middle
        else:
            high = middle
    return math.sqrt(low * high)
