"""Latencies as counts in log-linear buckets, as HdrHistogram has them.

Adding the counts of two histograms gives exactly the histogram of all their values, so workers'
results merge without loss, and any percentile can be computed later.
"""

import itertools
import math
from collections.abc import Iterable
from typing import Final, Self

from pydantic import Field

from nlpserve.load_results import Facts

FINE: Final = 11
"""As HdrHistogram's three significant digits: a bucket is at most 0.1 % wide."""
COARSE: Final = 5
"""For heat maps: a bucket is at most 6 % wide."""


def bucket(microseconds: int, bits: int) -> int:
    """The lowest value of the bucket that a value falls in."""
    shift = max(0, microseconds.bit_length() - bits)
    return microseconds >> shift << shift


class Histogram(Facts):
    """How many values fell into each bucket."""

    bits: int = Field(default=FINE, ge=2, le=20)
    """Values below 2**bits µs are exact; others lie in buckets of at most value / 2**(bits - 1)."""
    counts: dict[int, int] = Field(default={})
    """Lowest value of a bucket in µs → number of values in it."""
    longest: int = 0
    """Largest value in µs, exact."""
    total: int = 0
    """Sum of all values in µs, exact."""

    def record(self, seconds: float) -> None:
        """Count a value; a negative one is none that time can have and counts as 0."""
        value = max(0, round(seconds * 1e6))
        shift = max(0, value.bit_length() - self.bits)
        key = value >> shift << shift
        self.counts[key] = self.counts.get(key, 0) + 1
        self.total += value
        self.longest = max(self.longest, value)

    @property
    def number(self) -> int:
        """How many values there are."""
        return sum(self.counts.values())

    @property
    def mean(self) -> float | None:
        """In seconds; None when there is no value."""
        return self.total / self.number / 1e6 if self.counts else None

    @property
    def highest(self) -> float | None:
        """The largest value in seconds; None when there is no value."""
        return self.longest / 1e6 if self.counts else None

    def percentile(self, percent: float) -> float | None:
        """In seconds: at least so many percent of the values are no larger. None without values.

        The upper end of the bucket, so it never says less than what was measured.
        """
        return self.percentiles((percent,))[0]

    def percentiles(self, percents: Iterable[float]) -> list[float | None]:
        """Several, in the order given. Raises ValueError for one outside 0 to 100."""
        ordered = sorted(self.counts.items())
        number = sum(count for _, count in ordered)
        found: list[float | None] = []
        for percent in percents:
            if not 0 <= percent <= 100:
                raise ValueError(f"percentile {percent} is not within 0 to 100")
            rank = max(1, math.ceil(number * percent / 100 - 1e-9))
            found.append(self._at(ordered, rank) if number else None)
        return found

    def _at(self, ordered: list[tuple[int, int]], rank: int) -> float:
        seen = itertools.accumulate(count for _, count in ordered)
        low = next(low for (low, _), so_far in zip(ordered, seen, strict=True) if so_far >= rank)
        width = 1 << max(0, low.bit_length() - self.bits)
        return min(low + width - 1, self.longest) / 1e6

    def coarser(self, bits: int = COARSE) -> Self:
        """The same values in wider buckets."""
        if bits > self.bits:
            raise ValueError(f"{bits} bits are finer than {self.bits}")
        counts: dict[int, int] = {}
        for low, count in self.counts.items():
            key = bucket(low, bits)
            counts[key] = counts.get(key, 0) + count
        return self.model_copy(update={"bits": bits, "counts": counts})

    def __add__(self, other: Self) -> Self:
        """All values of both. Raises ValueError when their buckets differ."""
        if self.bits != other.bits:
            raise ValueError(f"buckets of {self.bits} and of {other.bits} bits do not add up")
        counts = dict(self.counts)
        for low, count in other.counts.items():
            counts[low] = counts.get(low, 0) + count
        return self.__class__(
            bits=self.bits,
            counts=counts,
            longest=max(self.longest, other.longest),
            total=self.total + other.total,
        )
