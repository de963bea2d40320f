"""The chart on a real cluster, in namespaces that admit restricted pods only."""

import json

import kubectl as k
import pytest
from chart_release import Release


@pytest.fixture(scope="session")
def model_image(load_once):
    """The image of the shipped emotion model alone."""
    load_once("model-image", "ARTIFACT=bento/models/emotion")
    manifest = json.loads((k.ROOT / "bento/models/emotion/manifest.json").read_bytes())
    return f"localhost/nlpserve-model-emotion:{manifest['version']}"


@pytest.fixture
def release(namespace, tmp_path, server_image):
    return Release(namespace, tmp_path)


@pytest.fixture
def ports(only_one):
    """The ports of this machine that NOTES names."""
    with only_one("ports"):
        yield
