"""The chart on a real cluster, in namespaces that admit restricted pods only."""

import json

import kubectl as k
import pytest
from chart_release import Release, load


@pytest.fixture(scope="session")
def model_image(tmp_path_factory):
    """The image of the shipped emotion model alone."""
    archive = tmp_path_factory.mktemp("model") / "model.tar"
    load("model-image", archive, "ARTIFACT=bento/models/emotion")
    manifest = json.loads((k.ROOT / "bento/models/emotion/manifest.json").read_bytes())
    return f"localhost/nlpserve-model-emotion:{manifest['version']}"


@pytest.fixture
def release(namespace, tmp_path, server_image):
    return Release(namespace, tmp_path)
