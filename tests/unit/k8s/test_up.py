"""What a start that fails does to the cluster that was there before."""

import sys

import pytest

from k8s.local import __main__ as command
from k8s.local import build, cleanup, cluster, health, images, preflight
from k8s.local.errors import Busy, Missing, StartFailed


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
    monkeypatch.setattr(preflight, "privileges", list)
    monkeypatch.setattr(cluster, "DATA", told.data)
    monkeypatch.setattr(cluster, "start", told.start)
    monkeypatch.setattr(cluster, "CHANGES", tmp_path / "changes")
    monkeypatch.setattr(cluster, "clear", lambda: told.done.append("clear"))
    monkeypatch.setattr(cluster, "keep_logs", lambda: told.done.append("logs"))
    monkeypatch.setattr(health, "api_ready", lambda: False)
    return told


def test_a_failed_start_is_cleared_up_and_tried_once_more(story, capsys):
    story.failures = 1
    cluster.up(1, [])
    assert story.done == ["start", "clear", "start"]
    assert "etcd ended" in capsys.readouterr().err


def test_a_second_failure_keeps_the_logs_and_leaves_nothing(story):
    story.failures = 2
    with pytest.raises(StartFailed):
        cluster.up(1, [])
    assert story.done == ["start", "clear", "start", "logs", "clear"]


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
    assert story.done == ["start", "clear", "start"]


@pytest.mark.parametrize(("held", "after"), [(False, ["start", "clear"]), (True, ["start"])])
def test_an_interruption_clears_up_what_it_began(story, held, after):
    if held:
        story.data.mkdir()
    story.failures = 1
    story.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        cluster.up(1, [])
    assert story.done == after


@pytest.mark.parametrize("change", [lambda: cluster.up(1, []), cluster.down])
def test_one_start_or_removal_at_a_time(story, change, monkeypatch, capsys):
    monkeypatch.setattr(cluster, "LONGEST_CHANGE", 0)
    with cluster.changing(), pytest.raises(Busy, match="another start or removal"):
        change()
    assert story.done == []
    change()
    assert len(story.done) == 1
    assert capsys.readouterr().err == ""


def test_a_machine_that_cannot_have_it_is_told_so_by_down(story, monkeypatch):
    monkeypatch.setattr(preflight, "privileges", lambda: ["Linux is needed"])
    with pytest.raises(Missing, match="Linux is needed"):
        cluster.down()
    assert story.done == []


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        ('{"current-context": "nlpserve", "kind": "Config"}', False),
        ("apiVersion: v1\ncurrent-context: kind-nlpserve\nkind: Config\n", True),
        ("apiVersion: v1\nkind: Config\n", False),
        (None, False),
    ],
)
def test_anothers_kubeconfig_stays(text, stays, monkeypatch, tmp_path, capsys):
    kubeconfig = tmp_path / "kubeconfig"
    if text is not None:
        kubeconfig.write_text(text, encoding="ascii")
    monkeypatch.setattr(cleanup, "remove_all", lambda: None)
    monkeypatch.setattr(cluster, "KUBECONFIG", kubeconfig)
    cluster.clear()
    assert kubeconfig.exists() == stays
    assert ("kind-nlpserve is another cluster's" in capsys.readouterr().err) == stays


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
