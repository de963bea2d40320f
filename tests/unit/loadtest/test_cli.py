import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from loadtest import cli, signals, zero_loss
from loadtest.cli import app, main
from loadtest.generator.__main__ import message
from loadtest.protocol import MAX_MESSAGE_BYTES
from loadtest.rollout import Interrupted
from loadtest.spec import RolloutSpec, SpecError
from nlpserve import pages
from nlpserve.load_results import (
    ClusterFacts,
    Counts,
    Disruption,
    LoadFacts,
    Loss,
    NodeFacts,
    Outcome,
    RolloutResult,
    Run,
    TargetFacts,
    Verdict,
)

ROOT = Path(__file__).parents[3]
GIVEN = ["rollout", "--model", "intent", "--requests", "200", "--out"]


def load(**given):
    facts = {
        "model_version": "1", "kept": Counts(sent=100, answered=100),
        "new": Counts(sent=100, answered=98, refused=2), "seconds": 20, "slowest_answer": 0.1,
        "latest_start": 0, "longest_lag": 0, "connections": 2, "closed_by_answer": 2,
        "closed_idle": 0,
    }  # fmt: skip
    return LoadFacts(**(facts | given))


def run(verdict=Verdict.FAIL, **given):
    facts = {"disruption": Disruption.RESTART, "repeat": 1, "requests": 200, "rate": 10}
    return Run(**facts, verdict=verdict, load=load(), **given)


def result(*runs):
    node = NodeFacts(kubelet="v1", system="s", kernel="k", runtime="r", cpus="2", memory="1Ki")
    target = TargetFacts(
        model="intent", namespace="n", deployment="d", image="i", pre_stop_seconds=5,
        grace_seconds=60, environment={},
    )  # fmt: skip
    return RolloutResult(
        version="0", commit="c", started="2026-01-01T00:00:00", seconds=1, load_average=1.5,
        target=target, cluster=ClusterFacts(version="v1.36.3", nodes=[node]), load_image="l",
        clients=2, timeout_seconds=10, runs=list(runs), verdict=runs[0].verdict,
    )  # fmt: skip


class FakeCluster:
    context, namespace = "here", "models"

    def __init__(self, context):
        pass

    def facts(self):
        return result(run()).cluster


@pytest.fixture
def fake(monkeypatch):
    class Runner:
        runs_given = (run(Verdict.PASS),)

        def __init__(self, *_):
            pass

        def runs(self):
            return iter(self.runs_given)

    class Target:
        namespace, name, image, environment = "models", "d", "i", {}
        pre_stop_seconds, grace_seconds = 5, 60

    monkeypatch.setattr(cli, "Cluster", FakeCluster)
    monkeypatch.setattr(cli, "find_target", lambda *_: Target)
    monkeypatch.setattr(cli, "Runner", Runner)
    return Runner


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_exit_code_is_the_worst_verdicts(fake, tmp_path, verdict):
    fake.runs_given = [run(Verdict.PASS), run(verdict, reasons=["why"]), run(Verdict.PASS)]
    done = CliRunner().invoke(app, [*GIVEN, str(tmp_path)])
    assert done.exit_code == verdict.exit_code
    assert f"{verdict}: {tmp_path}" in done.output
    assert done.output.startswith("models/d on cluster here\n")
    written = RolloutResult.model_validate_json((tmp_path / "rollout.json").read_text())
    assert (written.verdict, len(written.runs)) == (verdict, 3)
    page = (tmp_path / "rollout.md").read_text()
    assert page.startswith(f"# intent: {verdict}\n")
    assert "- restart 1: why" in page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--requests", "1"], "requests:"),
        (["--seconds", "2"], "seconds:"),
        (["--repeat", "0"], "repeat:"),
        (["--model", "No Name"], "model:"),
        (["--scale-from", "1"], "scale-from:"),
    ],
)
def test_wrong_options_are_named_before_anything_starts(fake, tmp_path, monkeypatch, words, said):
    monkeypatch.setattr(sys, "argv", ["loadtest", *GIVEN, str(tmp_path), *words])
    written = []
    monkeypatch.setattr(sys.stderr, "write", written.append)
    assert main() == 2  # a verdict ends in Typer, an error here
    assert "".join(written).startswith(f"INVALID: {said}")
    assert list(tmp_path.iterdir()) == []


def test_what_breaks_is_no_verdict(monkeypatch, capsys):
    def broken():
        raise OSError("no room on the disk")

    monkeypatch.setattr(cli, "app", broken)
    assert main() == 2
    assert "no room on the disk" in capsys.readouterr().err


@pytest.mark.parametrize("number", signals.ENDING)
def test_what_is_done_whole_is_not_cut_short(number):
    done = []

    def work(said):
        os.kill(os.getpid(), number)
        time.sleep(0.01)
        done.append(said)

    before = signal.getsignal(number)
    try:
        signals.interrupt()
        signals.whole(work, "all")
        assert done == ["all"]
        with pytest.raises(KeyboardInterrupt):
            work("again")
    finally:
        for each in signals.ENDING:
            signal.signal(each, before if each == number else signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize(
    ("left", "said"),
    [([], "the target is as it was"), (["Job load-1: away"], "not be undone:\nJob load-1: away")],
)
def test_an_interrupt_has_its_own_exit_code(fake, tmp_path, monkeypatch, left, said):
    def interrupted(_):
        raise Interrupted(left)
        yield

    monkeypatch.setattr(fake, "runs", interrupted)
    done = CliRunner().invoke(app, [*GIVEN, str(tmp_path)])
    assert done.exit_code == 130
    assert said in done.output
    assert list(tmp_path.iterdir()) == []


def test_no_cluster_and_unknown_options_end_with_2(tmp_path):
    environment = {**os.environ, "KUBECONFIG": str(tmp_path / "none")}
    for words in ([*GIVEN, str(tmp_path)], ["rollout", "--nothing"], ["nothing"]):
        done = subprocess.run(
            [sys.executable, "-m", "loadtest", *words],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
        assert done.stderr


def test_help_says_what_the_exit_codes_mean():
    words = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output
    assert "0 PASS, 1 FAIL, 2 INVALID" in words


def test_the_message_fits_into_what_kubernetes_keeps():
    loss = Loss(second=1, kept=True, outcome=Outcome.RESET, detail="x" * 120)
    text = message(load(losses=[loss] * 60))
    assert len(text) <= MAX_MESSAGE_BYTES
    facts = LoadFacts.model_validate_json(text)
    assert 0 < len(facts.losses) < 60
    assert facts.total == load().total


def test_the_proofs_page_is_written_and_checked(tmp_path):
    folder = tmp_path / "out"
    for name in ("intent", "without/no drain"):
        (folder / name).mkdir(parents=True)
        (folder / name / "rollout.json").write_text(result(run()).model_dump_json())
    page, collected = tmp_path / "page.md", tmp_path / "proof.json"
    marks = [pages.BEGIN, pages.END]
    page.write_text("\n".join(m.format(n) for n in ("counts", "safeguards") for m in marks))
    runner = CliRunner()
    assert runner.invoke(zero_loss.app, ["collect", str(folder), str(collected)]).exit_code == 0
    words = ["page", str(page), str(collected)]
    assert runner.invoke(zero_loss.app, [*words, "--check"]).exit_code == 1
    assert runner.invoke(zero_loss.app, words).exit_code == 0
    assert runner.invoke(zero_loss.app, [*words, "--check"]).exit_code == 0
    text = page.read_text()
    assert "| intent | restart | 1 | 200 | 198 | 2 |" in text
    assert "| no drain | 200 | 2 | 2 refused | FAIL |" in text


def test_a_spec_explains_itself():
    assert issubclass(SpecError, Exception)
    assert (
        RolloutSpec(model="intent", namespace="n", load_namespace="l", requests=1000, seconds=50)
        .load("http://x:80")
        .rate
        == 20
    )
