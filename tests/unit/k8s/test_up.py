"""What a start that fails does to the cluster that was there before."""

import sys

import pytest

from k8s.local import __main__ as command
from k8s.local import build, cluster, health, images, preflight
from k8s.local.errors import StartFailed


@pytest.fixture
def story(monkeypatch, tmp_path):
    """What is done, in its order; `failures` of the first starts go wrong."""

    class Story:
        def __init__(self):
            self.done = []
            self.failures = 0
            self.error = StartFailed("etcd ended")
            self.data = tmp_path / "data"

        def start(self, *_):
            self.done.append("start")
            if self.failures:
                self.failures -= 1
                raise self.error

    told = Story()
    for module, name in ((preflight, "check"), (build, "build"), (images, "build")):
        monkeypatch.setattr(module, name, lambda _: None)
    monkeypatch.setattr(preflight, "install_packages", lambda: None)
    monkeypatch.setattr(cluster, "DATA", told.data)
    monkeypatch.setattr(cluster, "start", told.start)
    monkeypatch.setattr(cluster, "down", lambda: told.done.append("down"))
    monkeypatch.setattr(cluster, "keep_logs", lambda: told.done.append("logs"))
    monkeypatch.setattr(health, "api_ready", lambda: False)
    return told


def test_a_failed_start_is_cleared_up_and_tried_once_more(story, capsys):
    story.failures = 1
    cluster.up(1, [])
    assert story.done == ["start", "down", "start"]
    assert "etcd ended" in capsys.readouterr().err


def test_a_second_failure_keeps_the_logs_and_leaves_nothing(story):
    story.failures = 2
    with pytest.raises(StartFailed):
        cluster.up(1, [])
    assert story.done == ["start", "down", "start", "logs", "down"]


def test_a_cluster_that_answers_is_not_cleared_up(story, monkeypatch):
    story.data.mkdir()
    story.failures = 1
    monkeypatch.setattr(health, "api_ready", lambda: True)
    with pytest.raises(StartFailed):
        cluster.up(1, [])
    assert story.done == ["start"]


def test_a_cluster_that_does_not_answer_is_made_anew(story):
    story.data.mkdir()
    story.failures = 1
    cluster.up(1, [])
    assert story.done == ["start", "down", "start"]


@pytest.mark.parametrize(("held", "after"), [(False, ["start", "down"]), (True, ["start"])])
def test_an_interruption_clears_up_what_it_began(story, held, after):
    if held:
        story.data.mkdir()
    story.failures = 1
    story.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        cluster.up(1, [])
    assert story.done == after


def test_building_alone_looks_and_installs_first(monkeypatch):
    done = []
    for module, name in (
        (preflight, "check"), (preflight, "install_packages"), (build, "build"), (images, "build"),
    ):  # fmt: skip
        step = f"{module.__name__.rpartition('.')[2]} {name}"
        monkeypatch.setattr(module, name, lambda *_, step=step: done.append(step))
    monkeypatch.setattr(sys, "argv", ["k8s.local", "build"])
    assert command.main() == 0
    assert done == ["preflight check", "preflight install_packages", "build build", "images build"]
