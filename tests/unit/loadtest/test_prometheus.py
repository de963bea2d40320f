import json
from urllib.parse import parse_qs, urlsplit

import pytest

from loadtest.coordinator.prometheus import MOST_POINTS, QUERIES, Span, answers, series


def ask(rows, begin=1000.0, end=1600.0):
    asked = []

    def get(url):
        asked.append(url)
        return json.dumps({"data": {"result": rows}}).encode()

    found = series("http://p:9090", "intent", "models", "r-intent", Span(begin, end), get=get)
    return found, [parse_qs(urlsplit(url).query) for url in asked]


def test_points_lie_on_the_loads_axis_and_what_is_no_number_is_left_out():
    row = {"metric": {"pod": "a"}, "values": [[1010, "0.5"], [1020, "NaN"], [1030, "2"]]}
    found, _ = ask([row])
    assert [one.name for one in found] == [query.name for query in QUERIES]
    assert found[0].points == [(10, 0.5), (30, 2)]
    assert found[0].labels == {"pod": "a"}


def test_the_model_alone_is_asked_for_in_bounded_steps():
    _, asked = ask([])
    for words in asked:
        (query,) = words["query"]
        assert 'namespace="models"' in query
        assert 'model="intent"' in query or 'pod=~"r-intent-.*"' in query
        assert "$" not in query
        assert 600 / int(words["step"][0]) <= MOST_POINTS


def failing(_url):
    raise OSError("away")


@pytest.mark.parametrize("get", [failing, lambda _: b"no json", lambda _: b'{"data": 1}'])
def test_a_run_goes_on_without_it(get):
    assert series("http://p", "m", "n", "d", Span(0, 1), get=get) == []


def test_whether_it_is_there():
    assert answers("http://p", lambda _: b"")
    assert not answers("http://p", failing)
