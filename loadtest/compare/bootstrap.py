"""The circular block bootstrap: how far chance may carry a figure, in a series with memory.

A second of a load test is like the one before it, so seconds must not be shuffled one by one.
Blocks of neighbours are drawn in place of them, long enough to hold what a second remembers.
"""

import math

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
CHUNK = 250
"""Resamples at a time, to bound the memory."""


def block_length(series: Numbers) -> int:
    """The best length for a mean of this series.

    Politis and White (2004), "Automatic block-length selection for the dependent bootstrap", with
    the correction of Patton, Politis and White (2009), for circular blocks.
    """
    number = len(series)
    centred = series - series.mean()
    variance = float(centred @ centred) / number
    if number < 4 or variance <= 1e-12 * max(1.0, float(series.mean()) ** 2):
        return 1
    quiet = max(5, math.ceil(math.sqrt(math.log10(number))))
    most = min(number - 1, math.ceil(math.sqrt(number)) + quiet)
    covariances = np.array([centred[: number - k] @ centred[k:] / number for k in range(most + 1)])
    loud = np.abs(covariances / variance) >= 2 * math.sqrt(math.log10(number) / number)
    window = min(2 * _memory(loud, quiet), most)
    lags = np.arange(1, window + 1)
    taper = np.clip(2 * (1 - lags / window), 0, 1)  # flat up to one half
    terms = taper * covariances[1 : window + 1]
    spectrum = variance + 2 * float(terms.sum())
    slope = 2 * float((terms * lags).sum())
    if spectrum <= 0:
        return _bounded(math.sqrt(number), number)
    best = (2 * slope**2 / (4 / 3 * spectrum**2)) ** (1 / 3) * number ** (1 / 3)
    return _bounded(best, number)


def _memory(loud: NDArray[np.bool_], quiet: int) -> int:
    """The lag after which `quiet` lags in a row say nothing; at least 1."""
    for lag in range(1, len(loud)):
        following = loud[lag + 1 : lag + 1 + quiet]
        if not following.any():
            return lag
    return len(loud) - 1


def _bounded(length: float, number: int) -> int:
    return max(1, min(math.ceil(length), math.ceil(3 * math.sqrt(number)), number // 3))


def weights(number: int, block: int, replicates: int, rng: np.random.Generator) -> Numbers:
    """How often each row is in each resample; every row of the result adds up to `number`."""
    blocks = math.ceil(number / block)
    starts = rng.integers(0, number, size=(replicates, blocks, 1))
    drawn = ((starts + np.arange(block)) % number).reshape(replicates, -1)[:, :number]
    places = drawn + np.arange(replicates)[:, None] * number
    counted = np.bincount(places.ravel(), minlength=replicates * number)
    return counted.reshape(replicates, number).astype(float)
