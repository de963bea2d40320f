import pytest
from prometheus_client import generate_latest

from bento.metrics import ProcessMetrics
from loadtest.coordinator.counters import ROUTES, from_log, from_metrics


@pytest.fixture
def counted():
    metrics = ProcessMetrics()
    for model, route, code, number in [
        ("intent", "/v1/models/{model}/classify", 200, 7),
        ("intent", "/v1/models/{model}/classify", 503, 2),
        ("intent", "/api/intent", 200, 5),
        ("none", "unmatched", 404, 1),
    ]:
        for _ in range(number):
            metrics.observe_request(model, route, code, 0.1)
    return metrics


@pytest.mark.parametrize(
    ("route", "ours", "others"),
    [("v1", {"200": 7, "503": 2}, 6), ("intent", {"200": 5}, 10), ("emotion", {}, 15)],
)
def test_the_loads_route_is_told_from_all_others(counted, route, ours, others):
    text = generate_latest(counted.registry).decode()
    found = from_metrics(text, "intent", route)
    assert (found.ours, found.others) == (ours, others)


def test_what_only_waits_to_be_counted_is_no_status_of_the_load():
    text = 'nlpserve_requests_total{code="%s",model="intent",route="/api/intent"} %s.0\n'
    found = from_metrics(text % (200, 3) + text % (503, 0), "intent", "intent")
    assert found.ours == {"200": 3}


def test_the_last_word_of_a_pod_says_the_same_as_its_metrics():
    line = (
        'INFO [x] Requests counted: [["intent", "/v1/models/{model}/classify", 200, 7],'
        ' ["intent", "/api/intent", 200, 5]]'
    )
    found = from_log(line, "intent", "v1")
    assert (found.ours, found.others) == ({"200": 7}, 5)


@pytest.mark.parametrize("line", ["Draining for 10 s", "Requests counted: [[", ""])
def test_other_lines_are_no_last_word(line):
    assert from_log(line, "intent", "v1") is None


def test_every_route_of_a_scenario_is_known():
    assert set(ROUTES) == {"v1", "intent", "emotion"}
