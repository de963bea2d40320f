"""The chart ships the dashboards that are generated, as Grafana's sidecar finds them."""

import json

import pytest

from tests.chart.rendering import CHART, ROOT, objects

FOLDER = ROOT / "monitoring" / "dashboards" / "grafana"
MOST_BYTES = 1_000_000
"""A ConfigMap holds no more than 1 MiB."""


@pytest.mark.parametrize("helm", ["helm", "helm3"])
def test_each_dashboard_is_one_config_map(helm):
    items = objects(values={"dashboards": {"enabled": True}}, helm=helm)
    shipped = {}
    for item in items:
        if item["metadata"]["labels"].get("grafana_dashboard") == "1":
            assert item["kind"] == "ConfigMap"
            ((name, text),) = item["data"].items()
            assert len(text.encode()) < MOST_BYTES
            shipped[name] = text
    assert shipped == {file.name: file.read_text("utf-8") for file in FOLDER.glob("*.json")}
    assert len(shipped) == 5


def test_the_chart_has_no_copy():
    link = CHART / "files" / "dashboards"
    assert link.is_symlink()
    assert not link.readlink().is_absolute()
    assert link.resolve() == FOLDER


def test_another_address_of_the_runbooks_leaves_whole_json():
    values = {
        "dashboards": {"enabled": True},
        "prometheusRule": {"runbooks": "https://wiki.example/nlpserve?page=1&view=all"},
    }
    items = [item for item in objects(values=values) if "-dashboard-" in item["metadata"]["name"]]
    for item in items:
        (text,) = item["data"].values()
        variables = json.loads(text)["templating"]["list"]
        (runbooks,) = [v for v in variables if v["name"] == "runbooks"]
        assert runbooks["query"] == values["prometheusRule"]["runbooks"]
