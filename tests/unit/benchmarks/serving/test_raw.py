import numpy as np
import pytest

from benchmarks.serving.raw import (
    RawError,
    RawModel,
    RawPipeline,
    RawPlan,
    _batch_effect,
    _batches,
    _measure,
    scores_of,
)


class LengthEngine:
    """Scores by length; answers the longest text first, one group each."""

    labels = ("short", "long")

    def __init__(self, drift=0.0):
        self.batches = []
        self._drift = drift

    def predict(self, texts):
        self.batches.append(len(texts))
        for position in sorted(range(len(texts)), key=lambda at: -len(texts[at])):
            long = min(1.0, len(texts[position]) / 10 + self._drift * len(texts))
            yield [position], np.array([[1 - long, long]], dtype=np.float32)


TEXTS = ["x" * (1 + at % 9) for at in range(150)]


def test_scores_are_in_the_order_of_the_texts_whatever_the_engine_groups():
    engine = LengthEngine()
    scores = scores_of(engine, TEXTS, 64)
    assert engine.batches == [64, 64, 22]
    assert scores.dtype == np.float32
    assert scores[:, 1] == pytest.approx([len(text) / 10 for text in TEXTS])


def test_a_position_that_the_engine_leaves_out_is_not_a_number():
    engine = LengthEngine()
    engine.predict = lambda texts: iter([([0], np.array([[0.5, 0.5]], dtype=np.float32))])
    assert np.isnan(scores_of(engine, TEXTS[:2], 64)[1]).all()


def test_a_measurement_is_of_whole_batches_and_of_single_texts():
    engine = LengthEngine()
    batches = iter(_batches(TEXTS))
    plan = RawPlan(seconds=0.0, direct_calls=10)
    rate = _measure(RawPipeline(engine), engine, TEXTS, batches, plan)
    assert engine.batches == [64, 64] + [1] * 10  # the pipeline's, the served engine's
    assert [len(batch) for batch in batches] == [22]  # the next one goes on from there
    assert rate.docs_per_s > 0
    assert rate.docs_per_cpu_s > 0
    assert 0 < rate.direct_ms < 100


def test_how_far_answers_depend_on_the_batch():
    for drift, changes in ((0.0, False), (0.004, True)):
        engine = LengthEngine(drift)
        effect = _batch_effect(engine, TEXTS, scores_of(engine, TEXTS, 64), 40)
        assert effect.texts == 40
        assert (effect.largest_difference > 0.1) == changes
        assert (effect.label_changes > 0) == changes


def test_a_folder_without_an_artifact_is_named(tmp_path):
    plan = RawPlan(seconds=0.0, direct_calls=1)
    with (
        RawModel(tmp_path, ["oui"], plan, None) as raw,
        pytest.raises(RawError, match="is no artifact"),
    ):
        raw.answers()
