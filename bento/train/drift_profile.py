"""What the training texts look like to a packaged model: the baseline that drift is told from."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from bento.artifacts import Profile
from bento.engines.unknown_words import Counted
from bento.train.evaluate import Answers, batches

BINS = 10


def training_profile(
    texts: Sequence[str], model: Answers, unknown: Callable[[Sequence[str]], Counted]
) -> Profile:
    """Run the model over the texts and sum up lengths, confidences, labels and unknown words."""
    scores, missed, words = [], 0, 0
    for batch in tqdm(list(batches(texts)), "profile", unit="batch", delay=2, disable=None):
        scores.append(model.answer(batch))
        batch_missed, batch_words = unknown(batch)
        missed += batch_missed
        words += batch_words
    table = np.concatenate(scores)
    lengths = np.array([len(text) for text in texts], dtype=np.float64)
    characters_edges = quantile_edges(lengths)
    confidence = table.max(axis=1).astype(np.float64)
    confidence_edges = quantile_edges(confidence)
    counts = np.bincount(table.argmax(axis=1), minlength=len(model.labels)) / len(texts)
    return Profile(
        documents=len(texts),
        characters_edges=characters_edges,
        characters=bin_shares(lengths, characters_edges),
        confidence_edges=confidence_edges,
        confidence=bin_shares(confidence, confidence_edges),
        labels=dict(zip(model.labels, counts.round(6).tolist(), strict=True)),
        unknown_words=round(missed / words, 6) if words else 0.0,
    )


def quantile_edges(values: NDArray[np.float64], bins: int = BINS) -> list[float]:
    """Inner edges that cut the values into bins of about equal size; equal edges are merged."""
    cuts = np.quantile(values, np.arange(1, bins) / bins).round(4)
    edges: list[float] = np.unique(cuts).tolist()
    return edges


def bin_shares(values: NDArray[np.float64], edges: Sequence[float]) -> list[float]:
    """Share of the values in each bin, len(edges) + 1 of them; an edge opens its bin."""
    index = np.searchsorted(np.asarray(edges), values, side="right")
    shares: list[float] = (
        (np.bincount(index, minlength=len(edges) + 1) / len(values)).round(6).tolist()
    )
    return shares
