"""The search: the knee first, then what the pod does at shares of its capacity.

A search is a generator: it yields the loads that it wants and is sent what they showed, so it runs
against a pod as against a formula.
"""

from collections.abc import Generator
from typing import Final

from loadtest.calibration import knee_search
from loadtest.calibration.knee_search import SearchPlan, believed, wish_for
from loadtest.calibration.knees import MOST_BELOW, Invalid, bound
from loadtest.calibration.trials import Trial, Wish
from nlpserve.load_results import Facts

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
LOWERED: Final = 0.95
"""Times the capacity where the objective fails in the longer load at the highest share: what the
pod holds for seconds it need not hold for long. Once; what is further off is no capacity."""

Search = Generator[Wish, Trial, "Found"]


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
    knees = yield from knee_search.knees(plan)
    mean, capacity = bound(knees)
    full = yield from believed(plan, wish_for(plan, capacity * FULL, plan.point_seconds))
    for times in (1, LOWERED):
        capacity, check = yield from _check(plan, capacity * times, full.answered_rate)
        proof = yield from _proof(plan, capacity)
        if proof.holds(plan.objective):
            break
    else:
        raise Invalid(
            f"the objective failed at {proof.rate / capacity:.0%} of {capacity:.1f} requests/s,"
            " which is less than was found: the machine is busy, or the loads are too short"
        )
    points = []
    for share in POINT_SHARES[:-1]:
        found = yield from _point(plan, capacity, share)
        points.append(found)
    return Found(
        knees=knees,
        mean=mean,
        capacity=capacity,
        saturation=max(full.answered_rate, check.answered_rate),
        full_cpu=full.cpu,
        points=[*points, proof],
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
    wish = wish_for(plan, capacity * CHECK, plan.point_seconds)
    return (yield from _expected(plan, wish, holds=False))


def _proof(plan: SearchPlan, capacity: float) -> Generator[Wish, Trial, Trial]:
    """The highest share, for longer than the search's loads: the objective has to hold."""
    wish = wish_for(plan, capacity * POINT_SHARES[-1], plan.proof_seconds)
    wish = wish.model_copy(update={"sample_seconds": SAMPLE_SECONDS})
    return (yield from _expected(plan, wish, holds=True))


def _point(plan: SearchPlan, capacity: float, share: float) -> Generator[Wish, Trial, Trial]:
    """A load for CPU and texts in flight."""
    dense = share == TARGET_SHARE
    wish = wish_for(plan, capacity * share, plan.point_seconds * (2 if dense else 1))
    pace = DENSE_SECONDS if dense else SAMPLE_SECONDS
    wish = wish.model_copy(update={"sample_seconds": pace})
    return (yield from believed(plan, wish))


def _expected(plan: SearchPlan, wish: Wish, *, holds: bool) -> Generator[Wish, Trial, Trial]:
    """The load, once again where the objective does not do what it should."""
    found = yield from believed(plan, wish)
    if found.holds(plan.objective) != holds:
        found = yield from believed(plan, wish)
    return found
