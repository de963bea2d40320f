"""Regression or not: two results and limits in, a comparison out. Pure and seeded."""

import math
from typing import Final

import numpy as np
from pydantic import Field

from loadtest.compare import bootstrap, measures
from loadtest.compare.comparable import differences, obstacles
from loadtest.compare.samples import Numbers, Samples
from loadtest.spec import Strict
from nlpserve.load_comparisons import Change, Comparison, ComparisonResult, Finding
from nlpserve.load_tests import LoadTestResult

TEST: Final = (
    "circular block bootstrap of the hold's stretches, both runs resampled by the same blocks;"
    " a measure is worse when the lower end of its interval (Bonferroni over all measures) is"
    " above the effect that counts, and unclear when only the upper end is above the blind limit"
)
LEAST_BLOCKS: Final = 10
"""Independent blocks in a run; of fewer the bootstrap knows too little."""
BLIND: Final = 3.0
"""Times the effect: a run that could hide this much does not say "no regression"."""


class Limits(Strict):
    """What counts."""

    latency_effect: float = Field(default=0.1, gt=0, le=10)
    """Smallest rise of a percentile that counts, as a share."""
    rate_effect: float = Field(default=0.05, gt=0, lt=1)
    """Smallest loss of answers a second that counts, as a share."""
    failure_effect: float = Field(default=0.001, gt=0, lt=1)
    """Smallest rise of the share of failures that counts."""
    alpha: float = Field(default=0.01, gt=0, lt=0.5)
    """Chance of a false REGRESSION, over all measures."""
    replicates: int = Field(default=4_000, ge=200, le=100_000)
    seed: int = Field(default=0, ge=0)

    def effect(self, measure: measures.Measure) -> float:
        """On the scale of `worse`."""
        if measure.unit == "s":
            return math.log1p(self.latency_effect)
        return self.failure_effect if measure.unit == "ratio" else -math.log1p(-self.rate_effect)


def compare(a: LoadTestResult, b: LoadTestResult, limits: Limits) -> ComparisonResult:
    """B with A."""
    result = ComparisonResult(
        verdict=Comparison.NOT_COMPARABLE, reasons=obstacles(a, b), run_a=a.run, run_b=b.run,
        differences=differences(a, b), test=TEST, alpha=limits.alpha, seed=limits.seed,
        replicates=limits.replicates,
    )  # fmt: skip
    if result.reasons:
        return result
    samples = Samples.of(a, b)
    kept = measures.chosen(*samples)
    result.intervals = len(samples[0].answered)
    result.block = max(
        (bootstrap.block_length(each.linear(side)) for each in kept for side in samples), default=1
    )
    if result.intervals < LEAST_BLOCKS * result.block:
        result.reasons = [
            f"the hold has {result.intervals} stretches, and what happens in one lasts about"
            f" {result.block}: at least {LEAST_BLOCKS} times as many are needed; hold longer"
        ]
        return result
    result.changes = changes(*samples, kept, result.block, limits)
    for change in result.changes:
        if change.unit == "s":
            percent = float(change.name[1:])
            change.a = a.hold.intended.percentile(percent) or change.a
            change.b = b.hold.intended.percentile(percent) or change.b
    result.verdict, result.reasons = verdict(result.changes)
    return result


def changes(
    a: Samples, b: Samples, kept: list[measures.Measure], block: int, limits: Limits
) -> list[Change]:
    """Each measure with its interval."""
    rng = np.random.default_rng(limits.seed)
    drawn: dict[str, list[Numbers]] = {each.name: [] for each in kept}
    left = limits.replicates
    while left > 0:
        w = bootstrap.weights(len(a.answered), block, min(bootstrap.CHUNK, left), rng)
        left -= len(w)
        for each in kept:
            drawn[each.name].append(each.worse(each.value(a, w), each.value(b, w)))
    tail = limits.alpha / len(kept)
    once = np.ones((1, len(a.answered)))
    # Drawing blocks of a finite series varies less than the series does.
    widen = math.sqrt(len(a.answered) / (len(a.answered) - block))
    found = []
    for each in kept:
        values = each.value(a, once), each.value(b, once)
        seen = float(each.worse(*values)[0])
        spread = (np.concatenate(drawn[each.name]) - seen) * widen
        low, high = (seen + float(np.quantile(spread, share)) for share in (tail, 1 - tail))
        found.append(
            Change(
                name=each.name, unit=each.unit, a=float(values[0][0]), b=float(values[1][0]),
                worse=_plain(seen, each), low=_plain(low, each), high=_plain(high, each),
                effect=_plain(limits.effect(each), each),
                finding=_finding(low, high, limits.effect(each)),
            )
        )  # fmt: skip
    return found


def _finding(low: float, high: float, effect: float) -> Finding:
    if low > effect:
        return Finding.WORSE
    if high > BLIND * effect:
        return Finding.UNCLEAR
    return Finding.BETTER if high < -effect else Finding.SAME


def _plain(worse: float, measure: measures.Measure) -> float:
    """From the scale of the test to a share of A's value."""
    if measure.unit == "s":
        return math.expm1(worse)
    return worse if measure.unit == "ratio" else -math.expm1(-worse)


def verdict(found: list[Change]) -> tuple[Comparison, list[str]]:
    """One measure that is worse is a regression, whatever the others say."""
    worse = [change.name for change in found if change.finding is Finding.WORSE]
    if worse:
        return Comparison.REGRESSION, [f"worse: {', '.join(worse)}"]
    unclear = [change for change in found if change.finding is Finding.UNCLEAR]
    if unclear:
        return Comparison.NOT_COMPARABLE, [
            f"{change.name} varies too much to tell: it may be up to {100 * change.high:.2g} %"
            " worse; hold longer, or disturb the machines less"
            for change in unclear
        ]
    return Comparison.NO_REGRESSION, []
