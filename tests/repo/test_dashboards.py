"""Dashboards: whoever meets a panel first can read it, and every name in it exists."""

import json
import re
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from bento.metrics import CONFIDENCE_BUCKETS, LATENCY_BUCKETS
from bento.settings import Settings
from monitoring.dashboards import objectives
from monitoring.dashboards.metrics import CANARY_POD, Foreign, Recorded
from monitoring.dashboards.units import UNITS
from nlpserve import load_metrics
from nlpserve import metrics as names
from nlpserve.load_results import Outcome
from nlpserve.load_scenarios import Validity
from nlpserve.metrics import BatchReason, Rejection

ROOT = Path(__file__).parents[2]
BOARDS = {
    file.stem: json.loads(file.read_text(encoding="utf-8"))
    for file in sorted((ROOT / "monitoring" / "dashboards" / "grafana").glob("*.json"))
}
PANELS = [
    pytest.param(panel, id=f"{name}-{panel['title']}")
    for name, board in BOARDS.items()
    for panel in board["panels"]
    if panel["type"] != "row"
]
SUFFIXES = ("_total", "_bucket", "_count", "_sum", "")
METRIC = re.compile(r"\b(?:(?:nlpserve|kube|container|keda)[_:][\w:]+|ALERTS)\b")
each_board = pytest.mark.parametrize("name", BOARDS)
each_panel = pytest.mark.parametrize("panel", PANELS)


def expressions(board):
    found = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    found += [annotation["expr"] for annotation in board["annotations"]["list"]]
    queries = [v["query"] for v in board["templating"]["list"] if v["type"] == "query"]
    return [*found, *(query["query"] for query in queries)]


def everything():
    return "\n".join(text for board in BOARDS.values() for text in expressions(board))


def exported(module, prefix):
    values = [value for key, value in vars(module).items() if key.isupper()]
    bases = [v for v in values if isinstance(v, str) and v.startswith(prefix) and v != prefix]
    return {base + suffix for base in bases for suffix in SUFFIXES}


@each_board
def test_every_metric_of_a_query_exists(name):
    known = exported(names, names.PREFIX) | exported(load_metrics, load_metrics.LOAD_PREFIX)
    used = set(METRIC.findall("\n".join(expressions(BOARDS[name]))))
    assert len(used) > 4
    assert used - known - set(Foreign) - set(Recorded) == set()


def test_what_is_listed_is_asked_for():
    assert {*Foreign, *Recorded} - set(METRIC.findall(everything())) == set()


def test_every_load_metric_is_shown():
    shown = set(METRIC.findall("\n".join(expressions(BOARDS["load-test"]))))
    metrics = [v for v in vars(load_metrics).values() if str(v).startswith("nlpserve_load_")]
    metrics.remove(load_metrics.LOAD_PREFIX)
    assert [m for m in metrics if not shown & {m + suffix for suffix in SUFFIXES}] == []
    assert load_metrics.ANSWERED == Outcome.ANSWERED


def test_recorded_series_are_those_of_a_release():
    template = (ROOT / "helm/nlpserve/templates/_rules.tpl").read_text(encoding="utf-8")
    assert set(Recorded) - set(re.findall(r"record: (\S+)", template)) == set()


def test_buckets_and_values_of_labels_are_the_services():
    bounds = {str(float(bound)) for bound in (*LATENCY_BUCKETS, *CONFIDENCE_BUCKETS)}
    assert set(re.findall(r'le="([\d.]+)"', everything())) - bounds == set()
    found = re.findall(r'reason=~?"([^"]+)"', everything())
    reasons = {part for text in found for part in text.split("|")}
    assert reasons
    assert reasons - set(Rejection) - set(BatchReason) == set()


@each_board
def test_a_board_keeps_the_conventions(name):
    board = BOARDS[name]
    assert board["uid"] == f"nlpserve-{name}"
    assert len(board["uid"]) <= 40  # more Grafana does not take
    assert board["title"].startswith("nlpserve / ")
    assert board["tags"] == ["nlpserve"]
    assert board["description"]
    assert board.get("id") is None  # a number of another Grafana's
    variables = {variable["name"] for variable in board["templating"]["list"]}
    assert {"datasource", "namespace", "model", "runbooks"} <= variables
    for text in expressions(board):
        known = variables | {"__rate_interval"}
        assert set(re.findall(r"\$\{?(\w+)", text)) - known - {"1"} == set(), text
    said = {annotation["name"] for annotation in board["annotations"]["list"]}
    assert said == {"Rollouts", "Alerts", "Load tests"}
    assert all(annotation["titleFormat"] for annotation in board["annotations"]["list"])
    (link,) = board["links"]
    assert link["tags"] == board["tags"]
    assert link["includeVars"]


@each_board
def test_panels_fill_the_grid_and_do_not_overlap(name):
    places = [panel["gridPos"] for panel in BOARDS[name]["panels"]]
    assert len({panel["id"] for panel in BOARDS[name]["panels"]}) == len(places)
    for place in places:
        assert place["x"] + place["w"] <= 24
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert beside or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]


@each_board
def test_titles_tell_panels_apart(name):
    titles = [panel["title"] for panel in BOARDS[name]["panels"]]
    assert len(set(titles)) == len(titles)


@each_panel
def test_a_panel_can_be_read(panel):
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert len(panel["description"].split()) > 5
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    assert panel["datasource"]["uid"] == "${datasource}"
    assert panel["targets"]
    for target in panel["targets"]:
        assert target["datasource"]["uid"] == "${datasource}"
        if panel["type"] in {"timeseries", "bargauge", "heatmap"}:
            assert target["legendFormat"], "a line without a name"
    if panel["type"] == "timeseries":
        assert panel["options"]["legend"]["showLegend"]
        legends = [target["legendFormat"] for target in panel["targets"]]
        assert len(set(legends)) == len(legends)


@each_panel
def test_a_legend_asks_for_labels_that_the_query_keeps(panel):
    for target in panel["targets"]:
        kept = re.match(r"(?:sum|count|max) by \(([^)]*)\)", target["expr"])
        if kept and " on " not in target["expr"]:
            asked = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert asked <= set(kept[1].split(", ")), target["expr"]


# Neither good nor bad by themselves; what a model promises is told by its budget, beside it.
WITHOUT_EDGE = {"Texts", "Requests", "Workers", "Users", "Answered well", "Answered in time"}


@each_panel
def test_a_number_says_from_when_on_it_is_bad(panel):
    if panel["type"] == "stat" and panel["title"] not in WITHOUT_EDGE:
        steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        assert len({step["color"] for step in steps}) > 1
        values = [step["value"] for step in steps[1:]]
        assert values == sorted(values)


@each_panel
def test_a_number_is_of_now(panel):
    """Of a range, Grafana shows the last value, also of a model that is gone."""
    if panel["type"] in {"stat", "bargauge", "table"}:
        assert all(target.get("instant") for target in panel["targets"])


def test_a_model_that_nobody_reads_is_shown_as_none():
    (panel,) = (p for p in BOARDS["service"]["panels"] if p["title"] == "Pods that answer")
    (target,) = panel["targets"]
    assert "or 0 * count by (namespace, model) (nlpserve:deployment:info{" in target["expr"]
    assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["color"] == "red"


@pytest.mark.parametrize("name", ["service", "batching"])
def test_models_of_one_name_in_two_namespaces_are_two(name):
    for text in expressions(BOARDS[name]):
        for labels in re.findall(r"\b(?:by|on) \(([^)]*)\)", text):
            kept = labels.split(", ")
            assert "model" not in kept or "namespace" in kept, text


@each_panel
def test_a_runbook_link_leads_to_a_heading(panel):
    text = (ROOT / "monitoring" / "runbooks.md").read_text(encoding="utf-8")
    headings = {heading.lower() for heading in re.findall(r"^## (\w+)$", text, re.M)}
    for link in panel.get("links") or ():
        place, _, heading = link["url"].partition("#")
        assert place == "${runbooks}"
        assert heading in headings


def test_most_boards_lead_to_runbooks():
    linked = {name for name, b in BOARDS.items() if any(p.get("links") for p in b["panels"])}
    assert linked == set(BOARDS) - {"load-test"}


def test_edges_are_those_of_the_chart_the_service_and_the_load_tests():
    values = yaml.safe_load((ROOT / "helm/nlpserve/values.yaml").read_text(encoding="utf-8"))
    promised = values["defaults"]["objectives"]
    assert promised["availability"] == objectives.AVAILABILITY
    assert promised["latency"]["share"] == objectives.FAST_SHARE
    assert promised["latency"]["seconds"] == objectives.FAST_SECONDS
    assert values["defaults"]["batching"]["queueLimit"] == objectives.QUEUE_LIMIT
    assert Settings.model_fields["queue_limit"].default == objectives.QUEUE_LIMIT
    numbers = yaml.safe_load((ROOT / "monitoring/thresholds.yaml").read_text(encoding="utf-8"))
    assert numbers["drift_index"] == objectives.DRIFT_INDEX
    assert numbers["in_flight_share"] == objectives.FULL_SHARE
    assert numbers["queue_wait_seconds"] == objectives.WAIT_SECONDS
    validity = Validity()
    assert validity.least_rate == objectives.RATE_SHARE
    assert validity.most_cpu == objectives.GENERATOR_BUSY_SHARE
    assert validity.most_lag_seconds == objectives.GENERATOR_LAG_SECONDS


@pytest.mark.parametrize(
    ("pod", "track"),
    [
        ("demo-nlpserve-intent-canary-7d4b9c8f5-x2x9q", "canary"),
        ("demo-nlpserve-intent-7d4b9c8f5-x2x9q", "stable"),
    ],
)
def test_a_canarys_pods_are_told_by_their_names(pod, track):
    assert bool(re.fullmatch(CANARY_POD, pod)) == (track == "canary")
