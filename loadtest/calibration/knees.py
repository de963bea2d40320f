"""Several knees of one pod: their mean, its lower bound, and whether these say anything. Pure."""

import math
import statistics
from collections.abc import Sequence
from typing import Final

MOST_BELOW: Final = 1.1
"""The mean of the knees may be so many times its own lower bound; beyond, nothing is known."""
STUDENT_95: Final = (
    6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833,
    1.812, 1.796, 1.782, 1.771, 1.761, 1.753, 1.746, 1.740, 1.734, 1.729,
)  # fmt: skip
"""Student's t, one-sided 95 %, by degrees of freedom from 1 on."""
MOST_KNEES: Final = len(STUDENT_95) + 1


class Invalid(Exception):
    """The search cannot tell; the message says why."""


def bound(knees: Sequence[float]) -> tuple[float, float]:
    """Mean and its lower 95 % bound (Student). Raises Invalid where they lie too far apart."""
    mean, lower = _bound(knees)
    if wide(knees):
        listed = ", ".join(f"{knee:.1f}" for knee in knees)
        raise Invalid(
            f"the knee was found at {listed} requests/s, too far apart: is the machine busy?"
        )
    return mean, lower


def wide(knees: Sequence[float]) -> bool:
    """Whether they lie too far apart."""
    mean, lower = _bound(knees)
    return mean > MOST_BELOW * lower


def _bound(knees: Sequence[float]) -> tuple[float, float]:
    mean, deviation = statistics.fmean(knees), statistics.stdev(knees)
    return mean, mean - STUDENT_95[len(knees) - 2] * deviation / math.sqrt(len(knees))
