"""What is compared: each measure as a function of how often each stretch counts. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from loadtest.compare.samples import Numbers, Samples
from nlpserve.latency import Histogram

PERCENTILES: Final = (50.0, 95.0, 99.0, 99.9)
LEAST_BEYOND: Final = 100
"""Answers beyond a percentile, in each run, from which it says something."""
TINY: Final = 1e-9


@dataclass(frozen=True)
class Measure:
    """One of them."""

    name: str
    unit: Literal["s", "ratio", "1/s"]
    value: Callable[[Samples, Numbers], Numbers]
    """Of each row of weights."""
    worse: Callable[[Numbers, Numbers], Numbers]
    """By how much B is worse than A; for latencies and rates the logarithm of their ratio."""
    linear: Callable[[Samples], Numbers]
    """What each stretch adds to it, to first order: the series whose memory matters."""


def chosen(a: Samples, b: Samples) -> list[Measure]:
    """All that both runs have enough answers for."""
    answers = min(float(a.answered.sum()), float(b.answered.sum()))
    kept = [p for p in PERCENTILES if answers * (1 - p / 100) >= LEAST_BEYOND]
    return [RATE, FAILURES, *map(percentile, kept)]


def _ratio(a: Numbers, b: Numbers) -> Numbers:
    return np.log(np.maximum(b, TINY)) - np.log(np.maximum(a, TINY))


RATE: Final = Measure(
    "answered_rate",
    "1/s",
    lambda samples, w: w @ samples.answered / len(samples.answered) / samples.seconds,
    lambda a, b: -_ratio(a, b),
    lambda samples: samples.answered,
)


def _failed(samples: Samples, w: Numbers) -> Numbers:
    ended = w @ (samples.answered + samples.failures)
    found: Numbers = w @ samples.failures / np.maximum(ended, 1)
    return found


def _failures_linear(samples: Samples) -> Numbers:
    everything = samples.answered + samples.failures
    expected = everything * samples.failures.sum() / max(1.0, float(everything.sum()))
    found: Numbers = samples.failures - expected
    return found


FAILURES: Final = Measure("failure_ratio", "ratio", _failed, lambda a, b: b - a, _failures_linear)


def percentile(percent: float) -> Measure:
    """Latency; within a bucket answers are thought of as equally far apart in the logarithm."""

    def value(samples: Samples, w: Numbers) -> Numbers:
        below = np.cumsum(w @ samples.latencies, axis=1)
        wanted = below[:, -1] * percent / 100
        place = (below < wanted[:, None] - TINY).sum(axis=1).clip(0, len(samples.lows) - 1)
        rows = np.arange(len(w))
        before = np.where(place > 0, below[rows, place - 1], 0.0)
        inside = np.maximum(below[rows, place] - before, TINY)
        share = ((wanted - before) / inside).clip(0, 1)
        low, high = np.maximum(samples.lows[place], 1.0), samples.highs[place]
        found: Numbers = low * (high / low) ** share / 1e6
        return found

    def linear(samples: Samples) -> Numbers:
        level = value(samples, np.ones((1, len(samples.answered))))[0] * 1e6
        beyond = samples.latencies[:, samples.lows >= level].sum(axis=1)
        answers = samples.latencies.sum(axis=1)
        found: Numbers = beyond - answers * beyond.sum() / max(1.0, answers.sum())
        return found

    return Measure(f"p{percent:g}", "s", value, _ratio, linear)


def exact(measure: Measure, hold: Histogram) -> float | None:
    """A percentile by the fine histogram of the whole hold; None for other measures."""
    return hold.percentile(float(measure.name[1:])) if measure.unit == "s" else None
