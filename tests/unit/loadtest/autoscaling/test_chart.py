"""The autoscaler's settings come from the chart's own values."""

import pytest
import yaml

from loadtest.autoscaling import chart
from loadtest.forecast_commands import CHART_VALUES


@pytest.fixture
def values():
    return yaml.safe_load(CHART_VALUES.read_text(encoding="utf-8"))


@pytest.mark.parametrize("model", ["intent", "emotion"])
@pytest.mark.parametrize("mode", ["none", "cpu", "keda"])
def test_the_charts_defaults_are_understood(values, model, mode):
    found = chart.autoscaler(chart.settings(values, model), mode)
    given = values["defaults"]["autoscaling"]
    assert found.mode == mode
    fewest = values["defaults"]["replicas"] if mode == "none" else given["minReplicas"]
    assert found.min_replicas == fewest
    assert found.cpu_target == pytest.approx(given["cpuPercent"] / 100)  # of one core
    assert found.keda.in_flight == given["keda"]["inFlight"]
    assert found.keda.window_seconds == 30
    assert found.keda.fallback.behavior == given["keda"]["fallback"]["behavior"]
    assert found.behavior.scale_down.stabilization_window_seconds == 300


def test_a_models_entry_wins_and_null_takes_away(values):
    own = {"models": {"intent": {"resources": {"limits": {"cpu": None}}, "replicas": 7}}}
    model = chart.settings(chart.merged(values, own), "intent")
    assert (model["replicas"], chart.cpu(model)) == (7, 0.25)  # the request
    assert chart.settings(values, "intent")["resources"]["limits"]["cpu"] == "1"
    with pytest.raises(ValueError, match="no model nobody"):
        chart.settings(values, "nobody")


@pytest.mark.parametrize(
    ("text", "found"),
    [("250m", 0.25), ("1", 1), (2, 2), (0.5, 0.5), ("1k", 1000), ("107m", 0.107), ("5u", 5e-6)],
)
def test_cpu_quantities(text, found):
    assert chart.quantity(text) == found


@pytest.mark.parametrize(
    ("text", "found"), [("256Mi", 256), ("1Gi", 1024), (2**20, 1), ("1M", 0.95367)]
)
def test_memory_quantities(text, found):
    assert chart.mebibytes(text) == pytest.approx(found, rel=1e-5)


def test_an_unknown_unit_is_an_error():
    with pytest.raises(ValueError, match="3Xi"):
        chart.mebibytes("3Xi")
