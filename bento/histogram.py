"""A histogram of plain numbers, for one writer."""

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np


class Histogram:
    """Cumulative buckets as Prometheus wants them, counted without a lock."""

    __slots__ = ("_array", "bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        """`bounds` are the buckets' upper ends, rising; +Inf is added."""
        self.bounds = tuple(map(float, bounds))
        self._array = np.asarray(self.bounds)
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def observe_many(self, values: Sequence[float] | np.typing.NDArray[np.floating]) -> None:
        """Count many values: in one go from eight on, where that is cheaper than one by one."""
        if len(values) < 8:
            for value in values:
                self.observe(float(value))
            return
        found = np.searchsorted(self._array, values, side="left")
        for position, count in enumerate(np.bincount(found, minlength=len(self.counts)).tolist()):
            self.counts[position] += count
        self.sum += float(np.sum(values))

    def buckets(self) -> list[tuple[str, float]]:
        """(upper end, cumulative count), the last being +Inf."""
        total = 0
        rows: list[tuple[str, float]] = []
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            total += count
            rows.append((bound, total))
        return rows
