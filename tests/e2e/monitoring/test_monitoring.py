"""Rules and dashboards on a real Prometheus that watches a release under real traffic."""

import json
import math
import time

import kubectl as k
import pytest

from monitoring.dashboards.source import fill, variables_of

FOLDER = k.ROOT / "monitoring" / "dashboards" / "grafana"
BOARDS = {file.stem: json.loads(file.read_text("utf-8")) for file in FOLDER.glob("*.json")}
# (dashboard, panel, legend) that has no data here, and why.
EXCEPTIONS = {
    ("predictions", "Mix of the last hour and of the hour a day before", "{{label}} a day before"):
        "the release is minutes old",
}  # fmt: skip


def test_overload_is_told_and_told_to_be_over(stage):
    """More than the model's queue holds: a burning budget, and saturation."""
    told = ("NlpserveErrorBudgetBurn", "NlpserveRequestsShed", "NlpserveInFlightNearLimit")
    assert stage.silent(*told)
    with stage.asking("intent"), stage.asking("emotion", clients=16, texts=8) as asking:
        stage.fire(*told)
    was_pending_before_it_fired(stage, "NlpserveRequestsShed")
    assert asking.answers.get(503), asking.answers
    with stage.asking("emotion"):
        k.until("the alerts resolved", lambda: stage.silent(*told), 120)


def test_a_model_without_pods_is_told_and_told_to_be_over(stage):
    told = ("NlpserveNoPodAvailable", "NlpserveNotScraped")
    deployment = "deployment/demo-nlpserve-emotion"
    assert stage.silent(*told)
    stage.namespace.kubectl("scale", deployment, "--replicas=0")
    stage.fire(*told)
    stage.namespace.kubectl("scale", deployment, "--replicas=1")
    stage.namespace.wait(deployment, "Available", 120)
    k.until("the alerts resolved", lambda: stage.silent(*told), 60)


def was_pending_before_it_fired(stage, alert):
    prometheus = stage.prometheus(time.time())
    query = f'ALERTS{{alertname="{alert}",namespace="{stage.namespace.name}"}}'
    began = {s.labels["alertstate"]: s.points[0][0] for s in prometheus.range(query)}
    assert began["pending"] <= began["firing"]


def test_the_autoscalers_own_metrics_arrive(stage):
    name = f'scaledObject="demo-nlpserve-intent",namespace="{stage.namespace.name}"'
    found = stage.prometheus(time.time()).instant(f'{{__name__=~"keda_scaler_.+",{name}}}')
    assert {series.labels["__name__"] for series in found}


def without_data(stage, name):
    """(panel, legend) of the queries that find nothing, or no number."""
    board, missing = BOARDS[name], []
    prometheus = stage.prometheus(time.time())
    variables = variables_of(board, prometheus, {"namespace": stage.namespace.name})
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            ask = prometheus.instant if target.get("instant") else prometheus.range
            series = ask(fill(target["expr"], variables))
            if not any(math.isfinite(value) for one in series for _, value in one.points):
                missing.append((name, panel["title"], target.get("legendFormat", "")))
    return missing


@pytest.mark.parametrize("name", sorted(BOARDS.keys() - {"load-test"}))
def test_every_panel_has_data(stage, name):
    expected = {place for place in EXCEPTIONS if place[0] == name}
    with stage.asking("intent"), stage.asking("emotion"):
        k.until("traffic in each panel", lambda: set(without_data(stage, name)) == expected, 60)


def test_every_panel_of_a_load_test_has_data_while_it_runs(stage, load_place):
    running = load_place.start("intent", load={"model": "open", "shape": 20, "seconds": 60})
    try:
        k.until("data in each panel", lambda: not without_data(stage, "load-test"), 90)
    finally:
        result = load_place.end("intent", running)
    assert result.all.counts.answered == result.all.counts.sent > 0
