"""What is missing is said at once, with a remedy, before anything is changed."""

import shutil
from collections import namedtuple

import pytest

from k8s.local import build, preflight
from k8s.local.components import NODE
from k8s.local.errors import ClusterError, Missing

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine on which nothing is built and little is there."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**10, 10**10, 10**9))
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "buildah" else f"/bin/{name}")
    monkeypatch.setattr(preflight, "run", lambda _: "default via 192.0.2.1 dev eth0\n")


def without_go(*_, **__):
    raise ClusterError("go is not installed")


@pytest.mark.usefixtures("bare")
def test_everything_that_is_missing_is_told_together(monkeypatch):
    monkeypatch.setattr(build, "run", without_go)
    with pytest.raises(Missing) as caught:
        preflight.check(NODE)
    lines = str(caught.value).splitlines()
    assert any(line.startswith("root is needed") for line in lines)
    assert any(line.startswith("Go is missing: install Go 1.26") for line in lines)
    assert any("1.0 GB free" in line and line.endswith("make room") for line in lines)
    assert any("Debian packages" in line and "buildah" in line for line in lines)


@pytest.mark.parametrize(
    ("version", "problems"),
    [("go1.26.8", 0), ("go1.27.0", 0), ("go1.21.0", 0), ("go1.20.14", 1), ("go1.19", 1)],
)
def test_a_go_that_can_fetch_the_right_one_will_do(monkeypatch, version, problems):
    monkeypatch.setattr(build, "run", lambda *_, **__: f"{version}\n")
    assert len(preflight.compiler()) == problems


@pytest.mark.parametrize(
    ("version", "toolchain"), [("go1.26.8", None), ("go1.26.1", None), ("go1.27.0", "go1.26.8")]
)
def test_another_series_of_go_fetches_the_pinned_one(monkeypatch, version, toolchain):
    monkeypatch.delenv("GOTOOLCHAIN", raising=False)
    monkeypatch.setattr(build, "run", lambda *_, **__: f"{version}\n")
    assert build.go_environment(NODE[0]).get("GOTOOLCHAIN") == toolchain
