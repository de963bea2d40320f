"""Both images in the cluster, and a release of the chart with one model in two pods."""

import pytest
from chart_release import Release, load

VALUES = {
    "models": {"emotion": {"enabled": False}},
    "defaults": {
        "replicas": 2,
        "autoscaling": {"mode": "none"},
        "podDisruptionBudget": {"enabled": True},
        "resources": {"requests": {"cpu": "20m"}},
    },
}


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    for target in ("image", "load-image"):
        load(target, folder / f"{target}.tar")


@pytest.fixture
def release(namespace, tmp_path, images):
    made = Release(namespace, tmp_path)
    load_from = {"networkPolicy": {"namespaces": {"load": namespace.name}}}
    made.upgrade(**VALUES, **load_from)
    return made
