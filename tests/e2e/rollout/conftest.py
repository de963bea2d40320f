"""Both images in the cluster, and a release of the chart with one model in two pods."""

import pytest
from chart_release import Release

VALUES = {
    "models": {"emotion": {"enabled": False}},
    "defaults": {
        "replicas": 2,
        "autoscaling": {"mode": "none"},
        "podDisruptionBudget": {"enabled": True},
        "resources": {"requests": {"cpu": "20m"}},
    },
}


@pytest.fixture
def release(namespace, tmp_path, server_image, load_image):
    made = Release(namespace, tmp_path)
    load_from = {"networkPolicy": {"namespaces": {"load": namespace.name}}}
    made.upgrade(**VALUES, **load_from)
    return made
