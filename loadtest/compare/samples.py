"""The hold of a run as equally long stretches of time. Pure."""

import math
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from nlpserve.latency import COARSE, Histogram
from nlpserve.load_tests import LoadTestResult

MOST_INTERVALS: Final = 1_800
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Samples:
    """A row for each stretch."""

    seconds: int
    """Length of a stretch."""
    answered: Numbers
    failures: Numbers
    latencies: Numbers
    """A column for each bucket: answers in it."""
    lows: Numbers
    """Lower ends of the buckets, µs."""
    highs: Numbers

    @classmethod
    def of(cls, a: LoadTestResult, b: LoadTestResult) -> tuple[Self, Self]:
        """Both holds, cut alike, with the same buckets."""
        rows = [_hold(result) for result in (a, b)]
        whole = min(len(row) for row in rows)
        step = max(1, math.ceil(whole / MOST_INTERVALS))
        lows = sorted({low for row in rows for _, _, each in row for low in each.counts})
        return cls._cut(rows[0], whole, step, lows), cls._cut(rows[1], whole, step, lows)

    @classmethod
    def _cut(
        cls, row: list[tuple[int, int, Histogram]], whole: int, step: int, lows: list[int]
    ) -> Self:
        number = whole // step
        column = {low: place for place, low in enumerate(lows)}
        latencies = np.zeros((number, len(lows)))
        counts = np.zeros((2, number))
        for second, (answered, failures, each) in enumerate(row[: number * step]):
            counts[:, second // step] += (answered, failures)
            for low, count in each.counts.items():
                latencies[second // step, column[low]] += count
        widths = [1 << max(0, low.bit_length() - COARSE) for low in lows]
        return cls(
            seconds=step,
            answered=counts[0],
            failures=counts[1],
            latencies=latencies,
            lows=np.array(lows, dtype=float),
            highs=np.array(lows, dtype=float) + widths,
        )


def _hold(result: LoadTestResult) -> list[tuple[int, int, Histogram]]:
    """Whole seconds after the rise and before the end."""
    return [
        (second.answered, second.failures, second.latency)
        for second in result.timeline
        if result.scenario.load.holds(second.second)
    ]
