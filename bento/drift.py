"""How far recent texts and answers are from the training texts, without labels.

The measure is the population stability index over the bins of the artifact's training profile, of
a sample of the documents within a sliding window.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bento.artifacts import Profile
from bento.engines.unknown_words import CountUnknown
from nlpserve.metrics import DriftFeature

Shares = NDArray[np.float64]
Counts = NDArray[np.int64]

NOISE: Final = 0.025
"""An index that chance alone makes larger than this, on average, is not given."""
LEAST_DOCUMENTS: Final = 200
"""Fewer documents give no index whatever its bins: words of one document are much alike, and only
one of WORDS_OF documents gives any."""
WORDS_OF: Final = 4
"""Words are looked for in one of so many documents: each has many, and they cost most."""
MOST_LABELS: Final = 20
"""Bins of the label mix: the commonest labels have one each, all others share the last."""
SLICES: Final = 12
"""A window moves on by this part of itself."""


class Sample(NamedTuple):
    """A document and its answer: the text or its beginning, its characters, the best label."""

    text: str
    characters: int
    top: int
    confidence: float


def stability_index(expected: Shares, actual: Shares, floor: float) -> float:
    """Population stability index: the sum of (a - e) ln(a / e) over the bins.

    Zero for equal shares, else above; the same both ways. A share below `floor` counts as it, or
    one empty bin would make it infinite.
    """
    e, a = np.maximum(expected, floor), np.maximum(actual, floor)
    e, a = e / e.sum(), a / a.sum()
    return float(((a - e) * np.log(a / e)).sum())


def chance_index(bins: int, documents: int, baseline: float) -> float:
    """The index to expect when nothing changed: (bins - 1) (1 / documents + 1 / baseline).

    Yurdakul, Statistical Properties of Population Stability Index, 2018: divided by the sum of
    the two inverses it is distributed as chi-square with bins - 1 degrees of freedom.
    """
    return (bins - 1) * (1 / documents + 1 / baseline)


class Baseline:
    """What the training texts were like, and how live documents are counted against that."""

    def __init__(
        self, profile: Profile, labels: Sequence[str], count_unknown: CountUnknown | None
    ) -> None:
        """`labels` in the order of the model. Without `count_unknown` no words are counted."""
        self._documents = profile.documents
        self._count_unknown = count_unknown
        self._characters = np.asarray(profile.characters_edges)
        self._confidence = np.asarray(profile.confidence_edges)
        self._label_bins, label_shares = _label_bins([profile.labels[name] for name in labels])
        expected = {
            DriftFeature.TEXT_LENGTH: profile.characters,
            DriftFeature.CONFIDENCE: profile.confidence,
            DriftFeature.LABELS: label_shares,
        }
        if count_unknown is not None:
            share = profile.unknown_words
            expected[DriftFeature.UNKNOWN_WORDS] = [share, 1 - share]
        self._expected: Mapping[DriftFeature, Shares] = {
            feature: np.asarray(shares) for feature, shares in expected.items()
        }
        ends = np.cumsum([len(shares) for shares in self._expected.values()]).tolist()
        starts = [0, *ends[:-1]]
        self._places = dict(
            zip(self._expected, map(slice, starts, ends), strict=True)
        )  # of a feature's bins in the counts
        self.bins: int = ends[-1]

    @property
    def blind(self) -> list[DriftFeature]:
        """Features that no index can be given of: the training texts were too few for the bins."""
        return [
            feature
            for feature, shares in self._expected.items()
            if feature is not DriftFeature.UNKNOWN_WORDS
            and (len(shares) - 1) / self._documents >= NOISE
        ]

    def count(self, samples: Sequence[Sample]) -> Counts:
        """Documents, and words, in each bin, int64 [bins]."""
        counts = np.zeros(self.bins, np.int64)
        found = {
            DriftFeature.TEXT_LENGTH: np.searchsorted(
                self._characters, [sample.characters for sample in samples], side="right"
            ),
            DriftFeature.CONFIDENCE: np.searchsorted(
                self._confidence, [sample.confidence for sample in samples], side="right"
            ),
            DriftFeature.LABELS: self._label_bins[[sample.top for sample in samples]],
        }
        for feature, bins in found.items():
            part = counts[self._places[feature]]
            part += np.bincount(bins, minlength=len(part))
        if self._count_unknown is not None:
            texts = [sample.text for sample in samples[::WORDS_OF]]
            unknown, words = self._count_unknown(texts)
            counts[self._places[DriftFeature.UNKNOWN_WORDS]] += unknown, words - unknown
        return counts

    def indices(self, counts: Counts) -> Iterator[tuple[DriftFeature, float]]:
        """The index of each feature that `counts` has enough documents for."""
        documents = int(counts[self._places[DriftFeature.LABELS]].sum())
        if documents < LEAST_DOCUMENTS:
            return
        for feature, expected in self._expected.items():
            found = counts[self._places[feature]]
            total = int(found.sum())
            # Of the words the profile has a share alone, not how many they were.
            baseline = np.inf if feature is DriftFeature.UNKNOWN_WORDS else self._documents
            if total and chance_index(len(expected), total, baseline) <= NOISE:
                yield feature, stability_index(expected, found / total, 0.5 / total)


class Window:
    """Counts of the last `seconds`, in SLICES arrays whatever the traffic."""

    def __init__(self, bins: int, seconds: float) -> None:
        """Empty."""
        self._slices = np.zeros((SLICES, bins), np.int64)
        self._slice_seconds = seconds / SLICES
        self._newest = 0

    def add(self, counts: Counts, now: float) -> None:
        """Count what was sampled; `now` is of any clock that never goes back."""
        self._move(now)
        self._slices[self._newest % SLICES] += counts

    def total(self, now: float) -> Counts:
        """All counts that are young enough."""
        self._move(now)
        counts: Counts = self._slices.sum(axis=0)
        return counts

    def _move(self, now: float) -> None:
        newest = int(now / self._slice_seconds)
        for passed in range(max(self._newest + 1, newest - SLICES + 1), newest + 1):
            self._slices[passed % SLICES] = 0
        self._newest = newest


def _label_bins(shares: Sequence[float]) -> tuple[NDArray[np.int64], list[float]]:
    """The bin of each label, and each bin's share."""
    bins = np.full(len(shares), MOST_LABELS - 1)
    order = np.argsort(shares)[::-1]
    if len(shares) > MOST_LABELS:
        order = order[: MOST_LABELS - 1]
    bins[order] = np.arange(len(order))
    return bins, np.bincount(bins, weights=shares).tolist()
