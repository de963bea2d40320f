"""GoEmotions rows as the service sees them: 14 labels instead of 28.

Pure numpy, so the mapping and the batching can be tested where torch is not
installed.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# What each of the 28 GoEmotions ids, in id order, becomes in the service.
MAPPED: tuple[str, ...] = (
    "admiration",
    "amusement",
    "anger",
    "annoyance",
    "admiration",
    "optimism",
    "curiosity",
    "curiosity",
    "optimism",
    "sadness",
    "disapproval",
    "annoyance",
    "sadness",
    "joy",
    "sadness",
    "gratitude",
    "sadness",
    "joy",
    "love",
    "sadness",
    "optimism",
    "admiration",
    "admiration",
    "gratitude",
    "remorse",
    "sadness",
    "surprise",
    "neutral",
)
LABELS: tuple[str, ...] = tuple(sorted(set(MAPPED)))

# Batches of one length are cut from a pool of this many batches: long enough
# that padding nearly vanishes, short enough that the order stays random.
POOL_BATCHES = 50


class Row(NamedTuple):
    """One comment and the indices of its labels in LABELS, ascending."""

    text: str
    labels: tuple[int, ...]


def mapped_labels(field: str) -> tuple[int, ...]:
    """The indices in LABELS for a comma-separated field of GoEmotions ids."""
    names = {MAPPED[int(part)] for part in field.split(",")}
    return tuple(sorted(LABELS.index(name) for name in names))


def read_rows(path: Path) -> list[Row]:
    """Read a GoEmotions file: text, ids and comment id, separated by tabs."""
    rows = []
    with path.open(encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines, start=1):
            fields = line.rstrip("\r\n").split("\t")
            if len(fields) < 2:
                raise ValueError(f"{path}: line {number} has no label field")
            rows.append(Row(fields[0], mapped_labels(fields[1])))
    return rows


def multi_hot(rows: Sequence[Row]) -> NDArray[np.float32]:
    """Ones at each row's labels, shape [rows, 14]."""
    hot = np.zeros((len(rows), len(LABELS)), dtype=np.float32)
    for index, row in enumerate(rows):
        hot[index, list(row.labels)] = 1.0
    return hot


def accuracy(scores: NDArray[np.floating], hot: NDArray[np.float32]) -> float:
    """Share of rows whose best-scored label is among the row's labels."""
    best = scores.argmax(axis=1)
    return float(hot[np.arange(len(hot)), best].mean())


def length_batches(
    lengths: Sequence[int], size: int, rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Row indices in batches of like length, each row once, in random order.

    Rows are shuffled, sorted by length within pools of POOL_BATCHES batches,
    cut, and the batches of a pool are shuffled again.
    """
    lengths_ = np.asarray(lengths)
    order = rng.permutation(len(lengths_))
    pool = size * POOL_BATCHES
    for start in range(0, len(order), pool):
        part = order[start : start + pool]
        part = part[np.argsort(lengths_[part], kind="stable")]
        cuts = range(0, len(part), size)
        for cut in rng.permutation(len(cuts)):
            yield part[cuts[cut] : cuts[cut] + size]
