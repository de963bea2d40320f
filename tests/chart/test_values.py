"""Every value does something, and the service takes what the chart gives it."""

import json
from functools import cache
from pathlib import Path

import pytest
import yaml

from bento.settings import PREFIX, SHIPPED_MODELS, Settings, load_settings
from k8s.chart_values import read_values
from nlpserve import __version__
from tests.chart.rendering import CHART, SCENARIOS, find, objects, template

VALUES = read_values((CHART / "values.yaml").read_text("utf-8"))
LEAVES = {
    value.name: value for group in VALUES for value in group.walk() if not value.children
}  # fmt: skip
DIGEST = "sha256:" + "0" * 64

ROUTE = {"httpRoute": {"enabled": True, "parentRefs": [{"name": "a"}], "hostnames": ["a.example"]}}

# What must be set so that a value is seen at all: the longest prefix of its name counts.
CONTEXTS = {
    "": {},
    "defaults.example": {"models": {"own": {"artifact": {"path": "/own"}}}},
    "defaults.canary.enabled": {},
    "defaults.canary": {"defaults": {"canary": {"enabled": True}}},
    "defaults.canary.weight": {
        "defaults": {"canary": {"enabled": True, "traffic": "route"}},
        **ROUTE,
    },
    "defaults.canary.traffic": {
        "defaults": {"canary": {"enabled": True}},
        **ROUTE,
    },
    "defaults.artifact.volume": {
        "defaults": {"artifact": {"source": "volume", "volume": {"emptyDir": {}}}}
    },
    "defaults.artifact.source": {"defaults": {"artifact": {"volume": {"emptyDir": {}}}}},
    "defaults.artifact.imageVolume": {
        "defaults": {"artifact": {"source": "imageVolume", "imageVolume": {"reference": "a"}}}
    },
    "defaults.autoscaling.mode": {"defaults": {"autoscaling": {"keda": {"serverAddress": "a"}}}},
    "defaults.autoscaling.keda": {
        "defaults": {"autoscaling": {"mode": "keda", "keda": {"serverAddress": "a"}}}
    },
    "defaults.replicas": {"defaults": {"autoscaling": {"mode": "none"}}},
    "defaults.podDisruptionBudget.maxUnavailable": {
        "defaults": {"autoscaling": {"minReplicas": 4}}
    },
    "defaults.apiKeys.key": {"defaults": {"apiKeys": {"existingSecret": "a"}}},
    "defaults.predictionLog.mode": {},
    "defaults.predictionLog": {
        "defaults": {"predictionLog": {"mode": "hash", "existingSecret": "a"}}
    },
    "defaults.exposed": {
        "ingress": {"enabled": True, "host": "a.example"},
        "models": {"intent": {"exposed": True}},
    },
    "defaults.requestTimeoutSeconds": ROUTE,
    "ingress": {"ingress": {"enabled": True, "host": "a.example"}},
    "ingress.enabled": {"ingress": {"host": "a.example"}},
    "httpRoute": ROUTE,
    "httpRoute.enabled": {"httpRoute": {"parentRefs": [{"name": "a"}], "hostnames": ["a.example"]}},
    "serviceMonitor": {"serviceMonitor": {"enabled": True}},
    "serviceMonitor.enabled": {},
    "prometheusRule": {"prometheusRule": {"enabled": True}},
    "prometheusRule.enabled": {},
    "dashboards": {"dashboards": {"enabled": True}},
    "dashboards.enabled": {},
    "rolloutTest": {"rolloutTest": {"enabled": True}},
    "rolloutTest.enabled": {},
    "defaults.objectives": {"prometheusRule": {"enabled": True}},
    "defaults.capacity": {"prometheusRule": {"enabled": True}},
}
# Another value than the default, where one more, "other" and the like would not do.
OTHERS = {
    "image.digest": DIGEST,
    "defaults.image.digest": DIGEST,
    "defaults.enabled": None,  # only an entry can say it: with no model on the rendering fails
    "models": {"intent": {"enabled": False}},
    "defaults.artifact.path": "/models",
    "defaults.artifact.volume": {"emptyDir": {"medium": "Memory"}},
    "defaults.artifact.source": "volume",
    "defaults.predictionLog.mode": "text",
    "defaults.args": ["--host", "::"],
    "defaults.env": [{"name": "A", "value": "b"}],
    "defaults.autoscaling.keda.window": "45s",
    "defaults.topologySpreadConstraints": [],
    "defaults.tolerations": [{"operator": "Exists"}],
    "defaults.resources.requests": {"cpu": "300m"},
    "defaults.resources.limits": {"cpu": 2},
    "defaults.autoscaling.behavior.scaleUp": {"stabilizationWindowSeconds": 5},
    "defaults.autoscaling.behavior.scaleDown": {"stabilizationWindowSeconds": 5},
    "defaults.canary.overrides": {"minReadySeconds": 7},
    "httpRoute.parentRefs": [{"name": "b"}],
    "httpRoute.hostnames": ["b.example"],
    "imagePullSecrets": [{"name": "a"}],
    "networkPolicy.from": [{"podSelector": {}}],
    "networkPolicy.dns": [],
    "networkPolicy.namespaces": {"other": "b"},
    "serviceMonitor.interval": "30s",
    "defaults.objectives.availability": 0.99,
    "defaults.objectives.latency.share": 0.95,
    "rolloutTest.disruptions": ["delete"],
    "extraObjects": [{"kind": "A"}],
}


def other(name: str):
    """A value that is not the default."""
    value = LEAVES[name]
    if name in OTHERS:
        return OTHERS[name]
    if "enum" in value.extra:
        return next(choice for choice in value.extra["enum"] if choice != value.default)
    if isinstance(value.default, bool):
        return not value.default
    if isinstance(value.default, int):
        return value.default + (-1 if value.default == value.extra.get("maximum") else 1)
    if isinstance(value.default, str):
        return "other"
    return {"other": "a"}


def overlay(base: dict, path: tuple[str, ...], value: object) -> dict:
    first, *rest = path
    under = base.get(first) if isinstance(base.get(first), dict) else {}
    return {**base, first: overlay(under, tuple(rest), value) if rest else value}


@cache
def rendered(values: str) -> str:
    done = template(values=json.loads(values))
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", [n for n in LEAVES if OTHERS.get(n, "") is not None])
def test_every_value_changes_what_is_rendered(name):
    prefixes = [
        prefix for prefix in CONTEXTS if f"{name}.".startswith(f"{prefix}." if prefix else "")
    ]
    context = CONTEXTS[max(prefixes, key=len)]
    changed = overlay(context, LEAVES[name].path, other(name))
    assert rendered(json.dumps(changed)) != rendered(json.dumps(context))


def test_a_model_can_be_left_out():
    items = objects(values={"models": {"intent": {"enabled": False}}})
    assert {i["metadata"]["name"] for i in items if i["kind"] == "Deployment"} == {
        "release-nlpserve-emotion"
    }


def test_versions_come_from_one_source():
    facts = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    assert facts["version"] == facts["appVersion"] == __version__


# Settings that the chart sets by other means, or that make no sense in a pod.
ELSEWHERE = {
    "models": "artifact and the entry's name",
    "threads": "batching.threads, else the CPU limit",
    "predictions_log": "predictionLog",
    "predictions_log_file": "standard output",
    "predictions_log_key": "predictionLog.existingSecret",
    "predictions_log_max_bytes": "no file",
    "predictions_log_backups": "no file",
    "predictions_log_queue": "env",
    "api_keys": "apiKeys.existingSecret, as a file",
    "api_keys_file": "apiKeys.existingSecret",
}
DIFFERENT = {"drain_seconds": "proxies and keep-alive clients of a cluster need longer to leave"}
BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum"}


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


GROUPS = {("defaults", group) for group in ("limits", "batching", "shutdown")}
SETTINGS = {snake(v.path[-1]): v for v in LEAVES.values() if v.path[:2] in GROUPS} | {
    snake("_".join(v.path[1:])): v for v in LEAVES.values() if v.path[:2] == ("defaults", "drift")
}


def test_every_setting_of_the_service_can_be_set():
    missing = set(Settings.model_fields) - set(SETTINGS) - set(ELSEWHERE)
    assert missing == set()


@pytest.mark.parametrize("name", sorted(set(Settings.model_fields) & set(SETTINGS)))
def test_a_setting_has_the_services_default_and_bounds(name):
    field, value = Settings.model_fields[name], SETTINGS[name]
    if name not in DIFFERENT:
        assert value.default == field.default
    bounds = {
        BOUNDS[word]: getattr(item, word)
        for item in field.metadata
        for word in BOUNDS
        if getattr(item, word, None) is not None
    }
    assert {key: value.extra[key] for key in BOUNDS.values() if key in value.extra} == bounds


def servers() -> dict[str, dict]:
    """Deployment of a scenario → the server's container."""
    return {
        f"{scenario.stem}:{item['metadata']['name']}": item["spec"]["template"]["spec"][
            "containers"
        ][0]
        for scenario in SCENARIOS
        for item in objects("--values", scenario)
        if item["kind"] == "Deployment"
    }


def test_the_service_starts_with_what_every_scenario_sets(monkeypatch, tmp_path):
    for where, container in servers().items():
        with monkeypatch.context() as patch:
            for entry in container["env"]:
                if entry["name"].startswith(PREFIX):
                    given = entry.get("value") or (
                        "1" if "resourceFieldRef" in entry["valueFrom"] else "x"
                    )
                    patch.setenv(entry["name"], given)
            load_settings.cache_clear()
            settings = load_settings()
        assert settings.drain_seconds == 10, where
        assert len(settings.model_folders()) == 1, where
    load_settings.cache_clear()


def test_the_examples_are_the_shipped_models():
    models = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))["models"]
    shipped = {path.parent.name for path in SHIPPED_MODELS.glob("*/manifest.json")}
    assert set(models) == shipped
    for name, entry in models.items():
        manifest = json.loads((SHIPPED_MODELS / name / "manifest.json").read_bytes())
        assert entry["example"]["label"] in manifest["labels"]


def test_the_port_is_the_servers():
    port = find(objects(), "Deployment", "release-nlpserve-intent")["spec"]["template"]["spec"][
        "containers"
    ][0]["ports"][0]["containerPort"]
    entry = (Path(CHART).parents[1] / "bento" / "serve.py").read_text("utf-8")
    assert f'help="Port to listen on.")] = {port}' in entry
