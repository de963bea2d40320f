"""How well predictions fit: precision, recall, F, accuracy, kappa. Numpy alone, for any machine.

A label counts in the averages when it occurs in the truth or in the predictions, and a ratio
whose denominator is zero counts as zero: what scikit-learn does by default.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bento.train.labelled import Labelled

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PerLabel:
    """Precision, recall, F1 and support (rows that have it), each of shape [labels]."""

    precision: Floats
    recall: Floats
    f1: Floats
    support: Counts


def reduced_truth(
    rows: Sequence[Labelled], predicted: Sequence[int], labels: Sequence[str]
) -> NDArray[np.int64]:
    """One true label for each row, as positions in `labels`, shape [rows].

    For a row of several labels it is the predicted one when that is among them, else the row's
    first: a right prediction stays right, a wrong one is charged once.
    """
    position = {label: index for index, label in enumerate(labels)}
    return np.array(
        [
            guess if labels[guess] in row.labels else position[row.labels[0]]
            for row, guess in zip(rows, predicted, strict=True)
        ],
        dtype=np.int64,
    )


def confusion(truth: NDArray[np.int64], predicted: NDArray[np.int64], labels: int) -> Counts:
    """Rows by true label (first axis) and predicted label, shape [labels, labels]."""
    matrix: Counts = np.bincount(truth * labels + predicted, minlength=labels * labels)
    return matrix.reshape(labels, labels).astype(np.int64)


def per_label(matrix: Counts) -> PerLabel:
    """The measures of each label of a confusion matrix."""
    right = np.diag(matrix).astype(np.float64)
    support = matrix.sum(axis=1)
    precision = _ratio(right, matrix.sum(axis=0))
    recall = _ratio(right, support)
    return PerLabel(
        precision=precision,
        recall=recall,
        f1=_ratio(2 * precision * recall, precision + recall),
        support=support,
    )


def measures(matrix: Counts) -> dict[str, float]:
    """Accuracy, micro, macro and weighted precision, recall and F1, and Cohen's kappa."""
    total = int(matrix.sum())
    single = per_label(matrix)
    occurs = (matrix.sum(axis=0) + matrix.sum(axis=1)) > 0
    weights = single.support / max(total, 1)
    # Every row has one true and one predicted label, so micro P, R and F are all the accuracy.
    accuracy = float(np.trace(matrix) / max(total, 1))
    result = {"accuracy": accuracy}
    for name in ("precision", "recall", "f1"):
        values: Floats = getattr(single, name)
        result[f"micro_{name}"] = accuracy
        result[f"macro_{name}"] = float(values[occurs].mean()) if total else 0.0
        result[f"weighted_{name}"] = float(values @ weights)
    result["kappa"] = kappa(matrix)
    return result


def macro_f1_interval(matrix: Counts, seed: int, rounds: int = 10_000) -> tuple[float, float]:
    """95 % interval of the macro F1, by bootstrap: rows drawn again with replacement."""
    # Drawing rows and counting them by both labels is a multinomial draw.
    shares = matrix.ravel() / matrix.sum()
    draws = np.random.default_rng(seed).multinomial(int(matrix.sum()), shares, rounds)
    values = [measures(draw.reshape(matrix.shape))["macro_f1"] for draw in draws]
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def kappa(matrix: Counts) -> float:
    """Cohen's kappa. Where only one label occurs at all, chance explains everything: 0."""
    total = matrix.sum()
    if not total:
        return 0.0
    shares = matrix / total
    chance = float(shares.sum(axis=0) @ shares.sum(axis=1))
    return 0.0 if chance >= 1.0 else (float(np.trace(shares)) - chance) / (1.0 - chance)


def _ratio(numerator: Floats, denominator: Floats | Counts) -> Floats:
    zero = denominator == 0
    ratio: Floats = np.where(zero, 0.0, numerator / np.where(zero, 1, denominator))
    return ratio
