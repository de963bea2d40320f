import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from bento import cpu_metrics
from bento.artifacts import read_artifact
from bento.histogram import Histogram
from bento.metrics import ModelMetrics, ProcessMetrics
from nlpserve import metrics as names
from nlpserve.cgroup import Throttling
from nlpserve.metrics import BatchReason, DriftFeature, Rejection

BOUNDS = (0.1, 1.0, 2.5)


def families(metrics):
    text = generate_latest(metrics.registry).decode()
    return {family.name: family for family in text_string_to_metric_families(text)}


def samples(family):
    """(name without the family's, label values in order of label name) → value."""
    return {
        (s.name.removeprefix(family.name), *(v for _, v in sorted(s.labels.items()))): s.value
        for s in family.samples
    }


class Drift:
    """A window with enough documents for one feature."""

    def indices(self):
        return {DriftFeature.TEXT_LENGTH: 0.125}


@pytest.fixture
def metrics(artifact, monkeypatch):
    """Of a process that serves one model, has a CPU limit, and has answered a little."""
    monkeypatch.setattr(cpu_metrics, "throttling", lambda: Throttling(9, 3, 0.5))
    made = ProcessMetrics()
    manifest = read_artifact(artifact("intent")).manifest
    model = made.models["intent"] = ModelMetrics("intent", manifest, "spacy/loop/1")
    model.observe_start([0.002, 0.2], BatchReason.IDLE)
    scores = np.array([[0.7, 0.2, 0.1], [0.1, 0.05, 0.85]], dtype=np.float32)
    model.observe_group(["court", "une phrase plus longue"], [0, 2], scores)
    model.observe_end(0.03)
    made.observe_request("intent", "/api/intent", 200, 0.004)
    made.observe_request("intent", "/api/intent", 503, 0.004)
    made.rejected["intent", Rejection.EXPIRED] += 1
    model.drift = Drift()
    made.prediction_log_dropped = 5
    return made


def values(of):
    return st.lists(
        st.one_of(st.sampled_from(of), st.floats(-1, 5), st.just(float("inf"))), max_size=40
    )


@given(values(BOUNDS))
def test_observing_many_equals_observing_each(observed):
    one, many, array = Histogram(BOUNDS), Histogram(BOUNDS), Histogram(BOUNDS)
    for value in observed:
        one.observe(value)
    many.observe_many(observed)
    array.observe_many(np.asarray(observed))
    assert one.counts == many.counts == array.counts
    assert one.sum == pytest.approx(many.sum) == pytest.approx(array.sum)


@given(values(BOUNDS))
def test_buckets_are_cumulative_and_hold_their_upper_end(observed):
    histogram = Histogram(BOUNDS)
    histogram.observe_many(observed)
    buckets = dict(histogram.buckets())
    assert list(buckets) == ["0.1", "1.0", "2.5", "+Inf"]
    for bound in BOUNDS:
        assert buckets[str(bound)] == sum(value <= bound for value in observed)
    assert buckets["+Inf"] == len(observed)


def test_every_metric_has_the_name_that_others_rely_on(metrics):
    ours = {name for name in families(metrics) if name.startswith(names.PREFIX)}
    constants = {
        value
        for key, value in vars(names).items()
        if isinstance(value, str) and value.startswith(names.PREFIX) and key != "PREFIX"
    }
    assert ours == constants


def test_what_is_exposed(metrics):
    found = families(metrics)
    answered = samples(found[names.REQUESTS])
    assert {key: count for key, count in answered.items() if count} == {
        ("_total", "200", "intent", "/api/intent"): 1,
        ("_total", "503", "intent", "/api/intent"): 1,
    }
    assert samples(found[names.REJECTED])["_total", "intent", "expired"] == 1
    assert samples(found[names.BATCHES]) == {
        ("_total", "intent", "idle"): 1,
        ("_total", "intent", "drained"): 0,
        ("_total", "intent", "full"): 0,
    }
    assert samples(found[names.PREDICTIONS]) == {
        ("_total", "alpha", "intent"): 1,
        ("_total", "beta", "intent"): 0,
        ("_total", "gamma", "intent"): 1,
    }
    assert samples(found[names.PREDICTION_LOG_DROPPED]) == {("_total",): 5}
    for name, count, total in (
        (names.QUEUE_WAIT, 2, 0.202),
        (names.BATCH_SIZE, 1, 2),
        (names.BATCH_DURATION, 1, 0.03),
        (names.CONFIDENCE, 2, 1.55),
        (names.TEXT_CHARACTERS, 2, 27),
    ):
        assert samples(found[name])["_count", "intent"] == count
        assert samples(found[name])["_sum", "intent"] == pytest.approx(total)
    assert samples(found[names.DRIFT_PSI]) == {("", "text_length", "intent"): 0.125}
    (info,) = found[names.MODEL_INFO].samples
    assert info.value == 1
    assert info.labels["version"] == "1.2.3"
    assert info.labels["runtime"] == "spacy/loop/1"
    assert len(info.labels["sha256"]) == 64


def test_rejections_under_load_start_at_zero(metrics):
    rejected = samples(families(metrics)[names.REJECTED])
    assert rejected["_total", "intent", "queue_full"] == 0
    assert rejected["_total", "intent", "deadline"] == 0
    assert rejected["_total", "intent", "open_bodies"] == 0


def test_answers_of_a_model_start_at_zero(artifact):
    """So that a rate sees the first of them; what nobody asked for is in no last count."""
    metrics = ProcessMetrics()
    manifest = read_artifact(artifact("topics")).manifest
    metrics.models["topics"] = ModelMetrics("topics", manifest, "spacy/loop/1")
    found = families(metrics)
    expected = {"/v1/models/{model}/classify", "/v2/models/{model}/infer", "/classify"}
    assert samples(found[names.REQUESTS]) == {
        ("_total", code, "topics", route): 0 for code in ("200", "500", "503") for route in expected
    }
    durations = samples(found[names.REQUEST_DURATION])
    assert {key[2] for key in durations if key[0] == "_count"} == expected
    assert set(durations.values()) == {0}
    assert not metrics.requests
    metrics.observe_request("topics", "/classify", 503, 0.1)
    after = families(metrics)
    assert samples(after[names.REQUESTS])["_total", "503", "topics", "/classify"] == 1
    assert samples(after[names.REQUEST_DURATION])["_count", "topics", "/classify"] == 1


def test_scraping_changes_nothing(metrics):
    first = generate_latest(metrics.registry)
    assert families(metrics).keys() == families(metrics).keys()
    ours = [line for line in first.splitlines() if line.startswith(b"nlpserve_")]
    again = [
        line
        for line in generate_latest(metrics.registry).splitlines()
        if line.startswith(b"nlpserve_")
    ]
    assert ours == again


def test_labels_of_any_spelling_are_exposed(artifact):
    metrics = ProcessMetrics()
    labels = ['say "hi"', "back\\slash", "new\nline"]
    manifest = read_artifact(artifact("odd", labels=labels)).manifest
    metrics.models["odd"] = ModelMetrics("odd", manifest, "spacy/loop/1")
    found = {sample.labels["label"] for sample in families(metrics)[names.PREDICTIONS].samples}
    assert found == set(labels)


def test_process_facts_stand_beside(metrics):
    assert "python_info" in families(metrics)


def test_how_often_the_cpu_limit_was_reached(metrics):
    found = families(metrics)
    assert samples(found[names.CPU_PERIODS]) == {("_total",): 9}
    assert samples(found[names.CPU_THROTTLED_PERIODS]) == {("_total",): 3}
