"""Finds the knee: the highest rate at which the objective still holds.

A search is a generator: it yields the loads that it wants and is sent what they showed, so it runs
against a pod as against a formula.
"""

import math
from collections.abc import Generator
from typing import Final

from pydantic import Field

from loadtest.calibration.knees import MOST_BELOW, MOST_KNEES, Invalid, bound, wide
from loadtest.calibration.trials import Objective, Trial, Wish
from nlpserve.load_results import Facts

STEP: Final = 1.6
"""From one rate to the next until the objective fails."""
WIDEN: Final = 1.25
"""A bracket that does not hold the knee grows by this."""
LOWEST_RATE: Final = 0.2
HIGHEST_RATE: Final = 20_000.0
LEAST_REQUESTS: Final = 300
AGAIN: Final = 2
"""A load that cannot be believed is tried so many times more."""
POINT_SHARES: Final = (0.25, 0.5, 0.7, 0.85, 0.95)
"""Of the capacity, at which CPU and texts in flight are measured."""
TARGET_SHARE: Final = 0.7
"""Of the capacity, at which the autoscaler wants each pod: the rest is for the time that another
pod takes to start. The chart refuses a higher CPU target and a higher share of the queue."""
SAMPLE_SECONDS: Final = 0.5
"""Between two looks at the texts in flight."""
DENSE_SECONDS: Final = 0.25
"""The same at the target's share, where the load is twice as long: a setting comes of it."""
FULL: Final = 1.5
"""Of the capacity, at which the pod answers as many as it ever does."""
CHECK: Final = 1.15
"""Of the capacity, at which the objective has to fail."""

Search = Generator[Wish, Trial, "Found"]


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
    repeats: int = Field(default=3, ge=2, le=MOST_KNEES)
    """How often the knee is looked for."""
    more: int = Field(default=1, ge=0, le=5)
    """Further repeats while the knees lie too far apart."""
    resolution: float = Field(default=0.06, gt=0, le=0.5)
    """Width of the last bracket, as a share."""


class Found(Facts):
    """What the search found."""

    knees: list[float]
    """Requests a second, one for each repeat."""
    mean: float
    capacity: float
    """The lower 95 % bound of their mean, and no more than the saturation."""
    saturation: float
    """Answers a second under more than it holds."""
    full_cpu: float
    """Cores that it used under that."""
    points: list[Trial]
    check: Trial
    """At 1.15 of the capacity; the objective failed."""


def search(plan: SearchPlan) -> Search:
    """Raises Invalid."""
    low, high = yield from _bracket(plan)
    knees = [(yield from _bisect(plan, low, high))]
    most = min(plan.repeats + plan.more, MOST_KNEES)
    while len(knees) < plan.repeats or (len(knees) < most and wide(knees)):
        # Other bounds each time, so that the middle does not fall on the same rates.
        reach = WIDEN * (1 + 0.04 * len(knees))
        knees.append((yield from _again(plan, knees[-1] / reach, knees[-1] * reach)))
    mean, capacity = bound(knees)
    full = yield from _believed(plan, _wish(plan, capacity * FULL, plan.point_seconds))
    capacity, check = yield from _check(plan, capacity, full.answered_rate)
    points = []
    for share in POINT_SHARES:
        found = yield from _point(plan, capacity, share)
        points.append(found)
    return Found(
        knees=knees,
        mean=mean,
        capacity=capacity,
        saturation=max(full.answered_rate, check.answered_rate),
        full_cpu=full.cpu,
        points=points,
        check=check,
    )


def _check(
    plan: SearchPlan, capacity: float, answered: float
) -> Generator[Wish, Trial, tuple[float, Trial]]:
    """The capacity, no more than the pod answers under more, and the load at 1.15 of it.

    Raises Invalid where these contradict it.
    """
    check = yield from _at_check(plan, capacity)
    most = max(answered, check.answered_rate)
    if capacity > MOST_BELOW * most:  # no knee is known better than that
        raise Invalid(
            f"the objective held at {capacity:.1f} requests/s, but of more the pod answered only"
            f" {most:.1f} a second: the loads are too short, or the machine is busy"
        )
    if capacity > most:
        capacity = most
        check = yield from _at_check(plan, capacity)
        capacity = min(capacity, max(answered, check.answered_rate))
    if check.holds(plan.objective):
        raise Invalid(
            f"the objective still held at {CHECK:g} times the capacity that was found"
            f" ({capacity:.1f} requests/s): is the machine busy?"
        )
    return capacity, check


def _at_check(plan: SearchPlan, capacity: float) -> Generator[Wish, Trial, Trial]:
    wish = _wish(plan, capacity * CHECK, plan.point_seconds)
    return (yield from _expected(plan, wish, holds=False))


def _point(plan: SearchPlan, capacity: float, share: float) -> Generator[Wish, Trial, Trial]:
    """A load for CPU and texts in flight; at the highest share the objective has to hold."""
    dense = share == TARGET_SHARE
    wish = _wish(plan, capacity * share, plan.point_seconds * (2 if dense else 1))
    pace = DENSE_SECONDS if dense else SAMPLE_SECONDS
    wish = wish.model_copy(update={"sample_seconds": pace})
    if share < POINT_SHARES[-1]:
        return (yield from _believed(plan, wish))
    found = yield from _expected(plan, wish, holds=True)
    if not found.holds(plan.objective):
        raise Invalid(
            f"the objective failed at {share:.0%} of the capacity that was found"
            f" ({capacity:.1f} requests/s): the machine is busy, or the loads are too short"
        )
    return found


def _expected(plan: SearchPlan, wish: Wish, *, holds: bool) -> Generator[Wish, Trial, Trial]:
    """The load, once again where the objective does not do what it should."""
    found = yield from _believed(plan, wish)
    if found.holds(plan.objective) != holds:
        found = yield from _believed(plan, wish)
    return found


def _holds(plan: SearchPlan, rate: float) -> Generator[Wish, Trial, bool]:
    """A narrow failure counts when it comes twice: a search that believes it ends below it."""
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise Invalid(f"the knee is not between {LOWEST_RATE:g} and {HIGHEST_RATE:g} requests/s")
    wish = _wish(plan, rate, plan.seconds)
    trial = yield from _believed(plan, wish)
    if not trial.holds(plan.objective) and not trial.fails_clearly(plan.objective):
        trial = yield from _believed(plan, wish)
    return trial.holds(plan.objective)


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
    if (yield from _holds(plan, rate)):
        while (yield from _holds(plan, rate * STEP)):
            rate *= STEP
        return rate, rate * STEP
    while not (yield from _holds(plan, rate / STEP)):
        rate /= STEP
    return rate / STEP, rate


def _again(plan: SearchPlan, low: float, high: float) -> Generator[Wish, Trial, float]:
    """The knee from bounds that were good for another repeat."""
    while not (yield from _holds(plan, low)):
        low, high = low / WIDEN, low
    while (yield from _holds(plan, high)):
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
