"""Scores of a replica timeline."""

import itertools
from collections.abc import Sequence
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


def met_again_seconds(missed: Sequence[float], step: float, seconds: float) -> float | None:
    """End of the first trouble: after its last step the objective holds for HOLD_SECONDS.

    `missed` are the begins of the steps that missed the objective. None: never, or never again.
    """
    end: float | None = None
    for begin in missed:
        if end is not None and begin >= end + HOLD_SECONDS:
            break
        end = begin + step
    return None if end is None or end >= seconds else end


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
