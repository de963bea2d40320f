import asyncio
import logging
import threading

import numpy as np
import pytest

from bento import drift_monitor
from bento.artifacts import read_artifact
from bento.drift import WORDS_OF
from bento.drift_monitor import COUNTED_TOGETHER, READ_CHARACTERS, DriftMonitor, model_drift
from bento.settings import Settings
from nlpserve.metrics import DriftFeature

LABELS = ["alpha", "beta", "gamma"]
PROFILE = {
    "documents": 5000,
    "characters_edges": [10.0],
    "characters": [0.5, 0.5],
    "confidence_edges": [0.8],
    "confidence": [0.5, 0.5],
    "labels": {"alpha": 0.5, "beta": 0.25, "gamma": 0.25},
    "unknown_words": 0.01,
}
SCORES = np.array([[0.7, 0.2, 0.1]], np.float32)


class Engine:
    """Knows every word of letters; some texts make its count fail."""

    def __init__(self):
        self.threads = set()
        self.counted = []

    def unknown_counter(self):
        def count(texts):
            self.threads.add(threading.current_thread())
            self.counted.append(list(texts))
            if any("poison" in text for text in texts):
                raise ValueError("no: poison")
            words = [word for text in texts for word in text.split()]
            return sum(not word.isalpha() for word in words), len(words)

        return count


class Clock:
    now = 50.0

    def __call__(self):
        return self.now


@pytest.fixture
def engine():
    return Engine()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def drift(artifact, engine, clock):
    """Builds what tells a model's drift, on a clock of the test."""

    def build(profile=PROFILE, **settings):
        manifest = read_artifact(artifact("intent", profile=profile)).manifest
        return model_drift("intent", manifest, engine, Settings(**settings), clock)

    return build


def offer(model, count, text="some words"):
    for _ in range(count):
        model.offer([text], [0], SCORES)


def test_off_means_nothing_is_sampled(drift):
    assert drift(drift_documents_per_second=0) is None


def test_a_model_without_a_profile_is_named_once(artifact, engine, caplog):
    manifest = read_artifact(artifact("plain")).manifest
    with caplog.at_level(logging.INFO):
        assert model_drift("plain", manifest, engine, Settings()) is None
    assert [r.getMessage() for r in caplog.records] == [
        "Model plain has no training profile: no drift is told"
    ]


def test_a_profile_of_too_few_texts_is_named(drift, caplog):
    drift(profile=PROFILE | {"documents": 60})
    (record,) = caplog.records
    assert "too few texts (60) to tell drift of: labels" in record.getMessage()


def test_a_sample_is_never_larger_than_the_rate_allows(drift, clock):
    model = drift(drift_documents_per_second=10)
    taken = 0
    for _ in range(100):  # 100 s of 80 texts a second
        offer(model, 80)
        clock.now += 1.0
        taken += len(model.take())
    assert 850 <= taken <= 1000


def test_a_few_texts_wait_a_minute_to_be_counted_together(drift, clock):
    model = drift()
    offer(model, 3)
    clock.now += 59
    assert model.take() == []
    clock.now += 2
    assert len(model.take()) == 3


def test_the_sample_says_what_was_answered(drift, clock):
    model = drift()
    long = "x" * (READ_CHARACTERS + 50)
    model.offer(["a", long], [2, 1], np.array([[0.1, 0.2, 0.7], [0.1, 0.8, 0.1]], np.float32))
    clock.now += 61
    first, second = sorted(model.take())
    assert first == ("a", 1, 2, pytest.approx(0.7))
    assert second == (long[:READ_CHARACTERS], len(long), 1, pytest.approx(0.8))


async def counted(engine, times):
    for _ in range(500):
        if len(engine.counted) >= times:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nothing was counted")


@pytest.fixture
def quick(monkeypatch):
    """Ticks at once."""
    monkeypatch.setattr(drift_monitor, "TICK_SECONDS", 0.001)


async def test_texts_are_counted_on_another_thread_and_indexed(drift, engine, clock, quick):
    model = drift(drift_documents_per_second=100)
    monitor = DriftMonitor()
    monitor.models.append(model)
    monitor.start()
    assert model.indices() == {}
    for times in range(1, 6):
        offer(model, COUNTED_TOGETHER, "un b2b train")
        clock.now += 1
        await counted(engine, times)
    await asyncio.sleep(0.05)
    found = model.indices()
    monitor.stop()
    assert set(found) == set(DriftFeature)
    assert found[DriftFeature.UNKNOWN_WORDS] > 0.25  # a third of the words, for one in a hundred
    assert found[DriftFeature.LABELS] > 0.25  # alpha alone
    assert threading.main_thread() not in engine.threads


async def test_a_count_that_fails_costs_its_sample_alone(drift, engine, clock, quick, caplog):
    model = drift(drift_documents_per_second=100)
    monitor = DriftMonitor()
    monitor.models.append(model)
    monitor.start()
    offer(model, COUNTED_TOGETHER, "poison")
    clock.now += 1
    await counted(engine, 1)
    offer(model, COUNTED_TOGETHER)
    clock.now += 1
    await counted(engine, 2)
    await asyncio.sleep(0.05)
    monitor.stop()
    (record,) = caplog.records
    assert record.getMessage() == "Drift of model intent misses 64 texts: ValueError"
    texts = [text for batch in engine.counted for text in batch]
    each = COUNTED_TOGETHER // WORDS_OF
    assert texts == ["poison"] * each + ["some words"] * each


async def test_stopping_ends_the_counting(drift, engine, clock, quick):
    model = drift(drift_documents_per_second=100)
    monitor = DriftMonitor()
    monitor.models.append(model)
    monitor.start()
    await asyncio.sleep(0.02)
    monitor.stop()
    offer(model, COUNTED_TOGETHER)
    clock.now += 1
    await asyncio.sleep(0.05)
    assert engine.counted == []
