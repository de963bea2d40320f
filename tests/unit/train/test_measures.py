import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento.train.labelled import Labelled
from bento.train.measures import (
    confusion,
    kappa,
    macro_f1_interval,
    measures,
    per_label,
    reduced_truth,
)


def matrix_of(truth, predicted, labels):
    return confusion(np.array(truth), np.array(predicted), labels)


def test_hand_computed_example():
    # Label 0: 2 of 3 found, 1 false alarm. Label 1: 1 of 2 found, 1 false alarm. Label 2: none.
    matrix = matrix_of([0, 0, 0, 1, 1], [0, 0, 1, 1, 0], 3)
    assert matrix.tolist() == [[2, 1, 0], [1, 1, 0], [0, 0, 0]]
    result = measures(matrix)
    assert result["accuracy"] == result["micro_f1"] == pytest.approx(3 / 5)
    # Label 2 never occurs, so macro is over two labels.
    assert result["macro_precision"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert result["macro_recall"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert result["macro_f1"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert result["weighted_recall"] == pytest.approx(3 / 5)
    # Chance: .6 * .6 + .4 * .4 = .52
    assert result["kappa"] == pytest.approx((0.6 - 0.52) / (1 - 0.52))


def test_a_label_that_is_only_predicted_counts_in_macro():
    result = measures(matrix_of([0, 0], [0, 1], 2))
    assert result["macro_recall"] == pytest.approx(0.25)
    assert result["macro_precision"] == pytest.approx(0.5)


def test_support_is_by_true_label():
    assert per_label(matrix_of([0, 0, 1], [1, 1, 1], 2)).support.tolist() == [2, 1]


def test_kappa_where_chance_explains_everything():
    assert kappa(matrix_of([0, 0], [0, 0], 2)) == 0.0
    assert kappa(np.zeros((2, 2), dtype=np.int64)) == 0.0


def test_a_row_of_several_labels_is_charged_once():
    labels = ["a", "b", "c"]
    rows = [Labelled("x", ("a", "b")), Labelled("x", ("b", "a")), Labelled("x", ("c",))]
    assert reduced_truth(rows, [1, 2, 0], labels).tolist() == [1, 1, 2]


pairs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60)


@given(pairs)
def test_bounds_hold(rows):
    result = measures(matrix_of(*zip(*rows, strict=True), 5))
    assert all(0 <= value <= 1 for name, value in result.items() if name != "kappa")
    assert -1 <= result["kappa"] <= 1
    assert result["weighted_recall"] == pytest.approx(result["accuracy"])


@given(pairs)
def test_same_as_scikit_learn(rows):
    metrics = pytest.importorskip("sklearn.metrics")
    truth, predicted = map(list, zip(*rows, strict=True))
    result = measures(matrix_of(truth, predicted, 5))
    for average in ("micro", "macro", "weighted"):
        expected = metrics.precision_recall_fscore_support(
            truth, predicted, average=average, zero_division=0
        )[:3]
        got = [result[f"{average}_{name}"] for name in ("precision", "recall", "f1")]
        assert got == pytest.approx(list(expected))
    if len(set(truth) | set(predicted)) > 1:
        assert result["kappa"] == pytest.approx(metrics.cohen_kappa_score(truth, predicted))


def test_the_macro_interval_is_of_rows_drawn_again():
    assert macro_f1_interval(np.diag([7, 2, 0]), seed=1, rounds=50) == (1.0, 1.0)
    low, high = macro_f1_interval(np.array([[90, 10], [10, 90]]), seed=1)
    # Nearly the accuracy's here: 0.9 with a standard error of sqrt(0.9 * 0.1 / 200).
    assert low == pytest.approx(0.9 - 1.96 * 0.0212, abs=0.005)
    assert high == pytest.approx(0.9 + 1.96 * 0.0212, abs=0.005)
