"""What the training texts look like to a packaged model: the baseline that drift is told from."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from bento.artifacts import Profile
from bento.engines import Scores
from bento.engines.unknown_words import Counted
from bento.train.evaluate import Answers, batches

BINS = 10


def training_profile(
    texts: Sequence[str], labels: Sequence[str], scores: Scores, unknown: Counted
) -> Profile:
    """Sum up lengths, confidences, labels and unknown words. `scores` are [texts, labels].

    Scores of texts that the model was trained on are surer than any it will give again, so they
    should come from held-out texts or out of fold.
    """
    lengths = np.array([len(text) for text in texts], dtype=np.float64)
    characters_edges = quantile_edges(lengths)
    confidence = scores.max(axis=1).astype(np.float64)
    confidence_edges = quantile_edges(confidence)
    counts = np.bincount(scores.argmax(axis=1), minlength=len(labels)) / len(texts)
    return Profile(
        documents=len(texts),
        characters_edges=characters_edges,
        characters=bin_shares(lengths, characters_edges),
        confidence_edges=confidence_edges,
        confidence=bin_shares(confidence, confidence_edges),
        labels=dict(zip(labels, counts.round(6).tolist(), strict=True)),
        unknown_words=round(unknown[0] / unknown[1], 6) if unknown[1] else 0.0,
    )


def answer_all(texts: Sequence[str], model: Answers) -> Scores:
    """The model's scores of all texts, [texts, labels], with a progress bar."""
    parts = tqdm(list(batches(texts)), "profile", unit="batch", delay=2, disable=None)
    return np.concatenate([model.answer(batch) for batch in parts])


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
