"""Finds the knee: the highest rate at which the objective still holds.

What a pod holds within a few seconds differs from one time to the next, by a tenth on a busy
machine. So once the knee is roughly known, the rate goes up after each load that holds and down
after each that fails: every load then tells something of the knee, and it comes to lie where as
many loads hold as fail (the up-and-down method of Dixon and Mood, J. Am. Stat. Assoc. 43, 1948).
"""

import math
from collections.abc import Generator
from typing import Final

from pydantic import Field

from loadtest.calibration.knees import MOST_KNEES, Invalid, wide
from loadtest.calibration.trials import Objective, Trial, Wish
from nlpserve.load_results import Facts

STEP: Final = 1.6
"""From one rate to the next until the objective fails."""
ROUGHLY: Final = 1.15
"""Width of the bracket from which on the rate goes up and down."""
MOST_LOADS: Final = 8
"""For each knee, while the rate goes up and down; two are needed where nothing is by chance."""
GOLDEN: Final = (math.sqrt(5) - 1) / 2
LOWEST_RATE: Final = 0.2
HIGHEST_RATE: Final = 20_000.0
LEAST_REQUESTS: Final = 300
AGAIN: Final = 2
"""A load that cannot be believed is tried so many times more."""


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
    proof_seconds: float = Field(default=15, gt=0)
    """Of the load at the highest of these rates, at which the objective has to hold."""
    repeats: int = Field(default=5, ge=2, le=MOST_KNEES)
    """How often the knee is crossed, up and down."""
    more: int = Field(default=3, ge=0, le=5)
    """Further times while the knees lie too far apart."""
    resolution: float = Field(default=0.06, gt=0, le=0.5)
    """Step up or down, as a share, on average."""


def knees(plan: SearchPlan) -> Generator[Wish, Trial, list[float]]:
    """All that were found, each by itself. Raises Invalid."""
    low, high = yield from _bracket(plan)
    return (yield from _up_and_down(plan, (yield from _bisect(plan, low, high))))


def _bracket(plan: SearchPlan) -> Generator[Wish, Trial, tuple[float, float]]:
    """A rate that holds, and one that does not."""
    rate = plan.start_rate
    if (yield from _holds_surely(plan, rate)):
        while (yield from _holds_surely(plan, rate * STEP)):
            rate *= STEP
        return rate, rate * STEP
    while not (yield from _holds_surely(plan, rate / STEP)):
        rate /= STEP
    return rate / STEP, rate


def _bisect(plan: SearchPlan, low: float, high: float) -> Generator[Wish, Trial, float]:
    while high / low > ROUGHLY:
        middle = math.sqrt(low * high)
        if (yield from _holds_surely(plan, middle)):
            low = middle
        else:
            high = middle
    return math.sqrt(low * high)


def _up_and_down(plan: SearchPlan, rate: float) -> Generator[Wish, Trial, list[float]]:
    """The knees. Each is the middle of two crossings, one on the way up and one down."""
    most = min(plan.repeats + plan.more, MOST_KNEES)
    knees: list[float] = []
    crossings: list[float] = []
    before, held = rate, None
    for turn in range(MOST_LOADS * most):
        holds = yield from _holds(plan, rate)
        if held not in (None, holds):
            crossings.append(math.sqrt(before * rate))
        if len(crossings) == 2:
            knees.append(math.sqrt(crossings[0] * crossings[1]))
            crossings = []
            if len(knees) == most or (len(knees) >= plan.repeats and not wide(knees)):
                break
        # Steps of many sizes, or the same few rates would be tried again and again.
        step = 1 + plan.resolution * (0.5 + turn * GOLDEN % 1)
        before, held, rate = rate, holds, rate * step if holds else rate / step
    if len(knees) < plan.repeats:
        raise Invalid(f"the knee moves: after {turn + 1} loads it was at {rate:.1f} requests/s")
    return knees


def _holds_surely(plan: SearchPlan, rate: float) -> Generator[Wish, Trial, bool]:
    """A narrow failure counts when it comes twice: a search that believes it ends below it."""
    return (yield from _holds(plan, rate, twice=True))


def _holds(plan: SearchPlan, rate: float, *, twice: bool = False) -> Generator[Wish, Trial, bool]:
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise Invalid(f"the knee is not between {LOWEST_RATE:g} and {HIGHEST_RATE:g} requests/s")
    wish = wish_for(plan, rate, plan.seconds)
    trial = yield from believed(plan, wish)
    narrow = not trial.holds(plan.objective) and not trial.fails_clearly(plan.objective)
    if twice and narrow:
        trial = yield from believed(plan, wish)
    return trial.holds(plan.objective)


def wish_for(plan: SearchPlan, rate: float, seconds: float) -> Wish:
    """Longer where the rate is low: of a few requests nobody can tell 99 % from 98 %."""
    longer = max(seconds, min(plan.most_seconds, LEAST_REQUESTS / rate))
    return Wish(rate=round(rate, 3), seconds=round(longer, 3))


def believed(plan: SearchPlan, wish: Wish) -> Generator[Wish, Trial, Trial]:
    """The load, again where it tells nothing."""
    problems: list[str] = []
    for _ in range(1 + AGAIN):
        trial = yield wish
        problems = trial.problems(plan.objective)
        if not problems:
            return trial
    raise Invalid("; ".join(problems))
