"""How far a model's stated confidence can be trusted, and the one number that mends it."""

import numpy as np
from numpy.typing import NDArray

BINS = 15

# Search range of the temperature; a fit that ends at a border means a broken model.
COLDEST, HOTTEST = 0.1, 10.0

Floats = NDArray[np.floating]


def softmax(logits: Floats) -> NDArray[np.float64]:
    """Row-wise softmax in double precision, shape kept."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    powers = np.exp(shifted)
    shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def expected_calibration_error(
    confidence: Floats, correct: NDArray[np.bool_], bins: int = BINS
) -> float:
    """Mean distance between confidence and accuracy over equal-width bins.

    `confidence` in [0, 1] and `correct` are [rows]; bins weigh by their rows.
    """
    index = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    rows = np.bincount(index, minlength=bins)
    claimed = np.bincount(index, weights=confidence, minlength=bins)
    reached = np.bincount(index, weights=correct, minlength=bins)
    if rows.sum() == 0:
        raise ValueError("no rows to measure calibration on")
    return float(np.abs(claimed - reached).sum() / rows.sum())


def top_label(logits: Floats, accepted: Floats) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The predicted label of each row and whether it is accepted.

    `accepted` is [rows, labels], positive where a prediction counts as right;
    a row may accept several labels.
    """
    best = logits.argmax(axis=1)
    return best, accepted[np.arange(len(logits)), best] > 0


def fit_temperature(logits: Floats, accepted: Floats) -> float:
    """The number to divide logits by, so that confidence tells the chance to be right.

    Minimises the log loss of the predicted label being accepted, by golden
    section on a log scale: the predictions themselves do not change.
    """
    best, correct = top_label(logits, accepted)
    rows = np.arange(len(logits))

    def loss(log_temperature: float) -> float:
        chance = softmax(logits / np.exp(log_temperature))[rows, best]
        chance = np.clip(chance, 1e-12, 1 - 1e-12)
        return float(-np.log(np.where(correct, chance, 1 - chance)).mean())

    golden = (np.sqrt(5) - 1) / 2
    low, high = np.log(COLDEST), np.log(HOTTEST)
    while high - low > 1e-4:
        left, right = high - golden * (high - low), low + golden * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def bootstrap_interval(
    correct: NDArray[np.bool_], seed: int, rounds: int = 10_000
) -> tuple[float, float]:
    """95 % interval of the accuracy: rows drawn again with replacement."""
    # Drawing rows with replacement and counting hits is a binomial draw.
    draws = np.random.default_rng(seed).binomial(len(correct), correct.mean(), rounds)
    low, high = np.percentile(draws / len(correct), [2.5, 97.5])
    return float(low), float(high)
