"""A release of the chart, and the namespace in which load tests run."""

import pytest
from chart_release import Release
from load_place import Place


@pytest.fixture
def place(namespace, tmp_path, server_image, load_image):
    return Place(namespace, tmp_path)


@pytest.fixture
def release(place, tmp_path):
    made = Release(place.namespace, tmp_path)
    models = {"emotion": {"enabled": False}}
    space = {"namespaces": {"load": place.namespace.name}}
    made.upgrade(models=models, defaults={"replicas": 2}, networkPolicy=space)
    return made
