"""Calibration error and temperature on made-up scores."""

import numpy as np
import pytest

from bento.train import calibration


def scores_of_known_heat(temperature, rows=20_000, labels=5):
    """Logits that are `temperature` times too large, and the drawn label of each row."""
    rng = np.random.default_rng(3)
    honest = rng.normal(0, 1.5, (rows, labels))
    chances = calibration.softmax(honest)
    drawn = (chances.cumsum(axis=1) > rng.random((rows, 1))).argmax(axis=1)
    return honest * temperature, np.eye(labels)[drawn]


def test_error_is_the_gap_between_claim_and_truth():
    confidence = np.full(10, 0.9)
    correct = np.array([True] * 6 + [False] * 4)
    assert calibration.expected_calibration_error(confidence, correct) == pytest.approx(0.3)


def test_error_counts_full_confidence_in_the_last_bin():
    correct = np.array([True, True])
    assert calibration.expected_calibration_error(np.ones(2), correct) == 0.0


def test_error_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no rows"):
        calibration.expected_calibration_error(np.empty(0), np.empty(0, dtype=bool))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_is_found_and_mends_the_error(temperature):
    logits, accepted = scores_of_known_heat(temperature)
    found = calibration.fit_temperature(logits, accepted)
    assert found == pytest.approx(temperature, rel=0.05)
    best, correct = calibration.top_label(logits, accepted)
    confidence = calibration.softmax(logits / found)[np.arange(len(best)), best]
    assert calibration.expected_calibration_error(confidence, correct) < 0.015


def test_interval_holds_the_accuracy_and_repeats():
    correct = np.arange(1000) % 3 > 0
    low, high = calibration.bootstrap_interval(correct, seed=1)
    assert low < correct.mean() < high
    assert high - low == pytest.approx(0.058, abs=0.005)
    assert (low, high) == calibration.bootstrap_interval(correct, seed=1)
