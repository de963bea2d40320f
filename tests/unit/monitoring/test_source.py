import pytest

from monitoring.dashboards.source import Prometheus, SourceError, fill, variables_of
from monitoring.dashboards.units import written


def test_both_ways_to_write_a_variable_are_filled_in_and_others_stay():
    filled = fill("a{b=~'$one',c='${one}x'}[$__rate_interval] $two \"$1\"", {"one": "1|2"})
    assert filled == "a{b=~'1|2',c='1|2x'}[$__rate_interval] $two \"$1\""


class Known(Prometheus):
    """Answers label_values from a table."""

    def label_values(self, selector, label):
        assert selector == 'info{namespace=~".*"}'
        return {"model": ["emotion", "intent"], "pod": ["a-b-1f-abcde", "a-b-1f-fghij", "odd"]}[
            label
        ]


def variable(name, label, **more):
    query = {"query": f'label_values(info{{namespace=~"$namespace"}}, {label})'}
    return {"name": name, "type": "query", "query": query, "includeAll": True, **more}


def test_variables_follow_one_another():
    dashboard = {
        "templating": {
            "list": [
                {"name": "datasource", "type": "datasource"},
                {"name": "runbooks", "type": "constant", "query": "runbooks.md"},
                {"name": "period", "type": "custom", "current": {"value": "1d"}},
                variable("namespace", "namespace", allValue=".*"),
                variable("model", "model"),
                variable("first", "model", includeAll=False),
                variable("workload", "pod", regex="/^(.+)-[a-z0-9]+-[a-z0-9]{5}$/"),
            ]
        }
    }
    prometheus = Known("http://nowhere.invalid", 0, 60, 30)
    assert variables_of(dashboard, prometheus, {}) == {
        "__rate_interval": "120s",
        "runbooks": "runbooks.md",
        "period": "1d",
        "namespace": ".*",
        "model": "emotion|intent",
        "first": "emotion",
        "workload": "a-b",
    }
    assert variables_of(dashboard, prometheus, {"model": "intent"})["model"] == "intent"


def test_nobody_there_is_one_error():
    with pytest.raises(SourceError, match=r"127\.0\.0\.1:9"):
        Prometheus("http://127.0.0.1:9", 0, 60, 30).instant("up")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.25, "s", "250 ms"),
        (0, "s", "0 s"),
        (3e-6, "s", "3 µs"),
        (0.9995, "percentunit", "99.95 %"),
        (-685.3, "percentunit", "-68530 %"),
        (1234, "reqps", "1.23k req/s"),
        (2_000_000, "short", "2M"),
        (0.5, "cps", "0.5/s"),
        (float("inf"), "short", "∞"),
        (float("nan"), "short", "no number"),
    ],
)
def test_numbers_are_written_as_a_person_reads_them(value, unit, text):
    assert written(value, unit) == text
