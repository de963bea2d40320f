"""A release of the chart, and the namespace in which load tests run."""

import pytest
from chart_release import Release, load
from load_place import Place


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    for target in ("image", "load-image"):
        load(target, folder / f"{target}.tar")


@pytest.fixture
def place(namespace, tmp_path, images):
    return Place(namespace, tmp_path)


@pytest.fixture
def release(place, tmp_path):
    made = Release(place.namespace, tmp_path)
    models = {"emotion": {"enabled": False}}
    space = {"namespaces": {"load": place.namespace.name}}
    made.upgrade(models=models, defaults={"replicas": 2}, networkPolicy=space)
    return made
