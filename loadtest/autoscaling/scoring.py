"""Scores of a replica timeline."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Final

from nlpserve.autoscale_results import PodCount

FLAP_SECONDS: Final = 300.0
HOLD_SECONDS: Final = 10.0
"""A single good second within the trouble is no end of it."""


def replica_minutes(replicas: Sequence[PodCount], seconds: float) -> float:
    """Pods asked for, times minutes, until `seconds`."""
    ends = [*(point.second for point in replicas[1:]), seconds]
    spans = (
        point.wanted * max(0.0, min(end, seconds) - point.second)
        for point, end in zip(replicas, ends, strict=True)
    )
    return sum(spans) / 60


def peak(replicas: Sequence[PodCount]) -> int:
    """Most pods asked for."""
    return max(point.wanted for point in replicas)


def decision_seconds(replicas: Sequence[PodCount]) -> float | None:
    """When more were first asked for than at the begin."""
    first = replicas[0].wanted
    return next((point.second for point in replicas if point.wanted > first), None)


def ready_seconds(replicas: Sequence[PodCount]) -> float | None:
    """When more were first ready than at the begin."""
    first = replicas[0].ready
    return next((point.second for point in replicas if point.ready > first), None)


def met_again_seconds(
    missed: Sequence[float], step: float, seconds: float, rate: Callable[[float], float]
) -> float | None:
    """End of the first trouble: after its last step the objective holds for HOLD_SECONDS.

    `missed` are the begins of the steps that missed the objective, `seconds` is the end of all.
    None: never, or never again, or only once the rate was below that of the first miss.
    """
    end: float | None = None
    for begin in missed:
        if end is not None and begin >= end + HOLD_SECONDS:
            break
        end = begin + step
    if end is None or end + HOLD_SECONDS > seconds:
        return None
    held = (rate(end + number) for number in range(round(HOLD_SECONDS)))
    return end if min(held) >= rate(missed[0]) * (1 - 1e-9) else None


def flaps(replicas: Sequence[PodCount]) -> int:
    """Changes in the opposite direction soon after the change before."""
    found, last, direction = 0, 0.0, 0
    for before, after in itertools.pairwise(replicas):
        change = (after.wanted > before.wanted) - (after.wanted < before.wanted)
        if not change:
            continue
        found += bool(direction and change != direction and after.second - last < FLAP_SECONDS)
        last, direction = after.second, change
    return found


def rise_seconds(rate: Callable[[float], float], seconds: float, most: float) -> float:
    """The first second with a rate above `most`; 0 when there is none."""
    return next((float(n) for n in range(math.ceil(seconds)) if rate(n) > most), 0.0)


def misfit(
    replicas: Sequence[PodCount], needed: Sequence[int]
) -> tuple[float | None, float | None]:
    """Shares that are too much of the pods asked for, and too little of those needed.

    `needed` are the pods of each second from 0 on. Each second counts by itself, so that one with
    too many pods is no help to another with too few; what is too little are ready ones.
    """
    asked = surplus = lack = 0
    points = iter(replicas)
    now, following = next(points), next(points, None)
    for second, need in enumerate(needed):
        while following is not None and following.second <= second:
            now, following = following, next(points, None)
        asked += now.wanted
        surplus += max(0, now.wanted - need)
        lack += max(0, need - now.ready)
    return surplus / asked if asked else None, lack / sum(needed) if any(needed) else None
