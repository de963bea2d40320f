"""Both images in the cluster; each test has a release of its own with one model."""

import pytest
from chart_release import Release

SMALL_POD = {"requests": {"cpu": "50m"}, "limits": {"cpu": "200m"}}


@pytest.fixture
def release(namespace, tmp_path, server_image, load_image):
    """`upgrade` with the settings of the one model that is on."""

    class One(Release):
        def upgrade(self, model, *words, **settings):
            other = {"intent": "emotion", "emotion": "intent"}[model]
            own = {"resources": SMALL_POD, "podDisruptionBudget": {"enabled": False}} | settings
            return super().upgrade(
                *words,
                models={other: {"enabled": False}, model: own},
                networkPolicy={"namespaces": {"load": namespace.name, "monitoring": "monitoring"}},
            )

    return One(namespace, tmp_path)
