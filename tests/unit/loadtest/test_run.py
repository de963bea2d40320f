"""A whole run against a cluster that is not there: what is made, what is told, what is left."""

import json

import pytest
import yaml
from typer.testing import CliRunner

from loadtest import delivery, manifests, run_command, run_manifests, runner, scenario_file
from loadtest.calibration.manifests import pinned
from loadtest.cli import app
from loadtest.cluster import ClusterError
from loadtest.messages import Run
from loadtest.objects import JobState, Pod, Target
from loadtest.protocol import PROGRESS
from loadtest.spec import SpecError
from nlpserve.load_results import ClusterFacts, Verdict
from nlpserve.load_tests import LoadTestResult, ReasonCode

TARGET = Target(
    name="r-nlpserve-intent", namespace="models", release="r", selector="a=b", replicas=2,
    whole=True, image="nlpserve:1", pre_stop_seconds=5, grace_seconds=60, environment={},
    managers=[],
)  # fmt: skip
FILE = """
name: mine
target: {model: intent}
load: {model: open, shape: 5, seconds: 9}
"""


def pod(**given):
    facts = {
        "name": "p", "namespace": "loadtest", "uid": "u", "ready": True, "ending": False,
        "phase": "Running", "message": "", "exit_code": None,
    }  # fmt: skip
    return Pod(**(facts | given))


class FakeCluster:
    """Answers as an API server would, step by step."""

    namespace = "models"

    def __init__(self, _context=None):
        self.made, self.pinned, self.deleted, self.states, self.log = [], [], [], [], []
        self.account = True

    def targets(self, namespace, _selector):
        return [TARGET] if namespace == "models" else []

    def has_account(self, *_):
        return self.account

    def create_job(self, manifest):
        self.made.append(manifest)

    def create_texts(self, manifest):
        self.made.append(manifest)

    def job_uid(self, *_):
        return "uid-1"

    def job_state(self, *_):
        state = self.states.pop(0)
        if isinstance(state, BaseException):
            raise state
        return state

    def last_lines(self, *_):
        return [PROGRESS + json.dumps({"phase": "asking the target"})]

    def whole_log(self, _pod):
        return self.log

    def facts(self):
        return ClusterFacts(version="v1.36.3", nodes=[])

    def pods(self, *_):
        return []

    def jobs(self, *_):
        return list(self.made)

    def jobs_anywhere(self, *_):
        return self.pinned

    def delete_job(self, _namespace, name):
        self.deleted.append(name)

    def delete_texts(self, _namespace, name):
        self.deleted.append(f"texts {name}")


class Watcher:
    def __init__(self):
        self.seen = []

    def show(self, progress):
        self.seen.append(progress)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(runner.time, "sleep", lambda _: None)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(FILE)
    return path


def make(file, cluster, *changes, **given):
    scenario, texts = scenario_file.read(str(file), list(changes))
    return runner.Runner(
        cluster, scenario, texts, "loadtest", "load:1", given.pop("watcher", Watcher()), **given
    )


RUNNING = JobState(pod(), succeeded=False, failure=None)
ENDED = JobState(pod(), succeeded=True, failure=None)


def test_a_run_that_ends_is_collected_and_deleted(file):
    cluster, watcher = FakeCluster(), Watcher()
    run = make(file, cluster, watcher=watcher)
    done = LoadTestResult(
        version="1", commit="c", run=run.run.name, started="2026-01-01T00:00:00+00:00", seconds=1,
        verdict=Verdict.PASS, scenario=run.scenario, load_image="load:1",
    )  # fmt: skip
    cluster.log = ["something else", *delivery.lines(done)]
    cluster.states = [RUNNING, ENDED]
    found = run.go()
    assert found.verdict is Verdict.PASS
    assert found.cluster.version == "v1.36.3"
    assert {"phase": "asking the target"} in watcher.seen
    name = run.run.name
    assert cluster.deleted == [name, f"{name}-w", f"texts {name}"]


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ([RUNNING, JobState(pod(), succeeded=False, failure="Evicted: no memory")], "Evicted"),
        ([JobState(pod(message="ErrImagePull: no"), succeeded=False, failure=None)], "load-image"),
        ([RUNNING, ClusterError("the API server does not answer")], "does not answer"),
        ([ENDED], "pieces of the result"),
    ],
)
def test_whatever_goes_wrong_is_invalid_and_nothing_is_left(file, states, said):
    cluster = FakeCluster()
    cluster.states = states
    run = make(file, cluster)
    found = run.go()
    assert found.verdict is Verdict.INVALID
    assert [reason.code for reason in found.reasons] == [ReasonCode.NOT_RUN]
    assert said in found.reasons[0].text
    assert run.run.name in cluster.deleted


def test_ctrl_c_deletes_and_keep_keeps(file):
    for keep in (False, True):
        cluster = FakeCluster()
        cluster.states = [KeyboardInterrupt()]
        run = make(file, cluster, keep=keep)
        with pytest.raises(KeyboardInterrupt):
            run.go()
        assert bool(cluster.deleted) is not keep


def test_every_run_has_names_of_its_own(file):
    cluster = FakeCluster()
    assert make(file, cluster).run.name != make(file, cluster).run.name


def test_what_is_missing_is_told_before_anything_is_made(file):
    cluster = FakeCluster()
    cluster.account = False
    with pytest.raises(SpecError, match="k8s/loadtest"):
        make(file, cluster).check()
    with pytest.raises(SpecError, match="no model"):
        make(file, FakeCluster(), "target.namespace=elsewhere").check()
    assert cluster.made == []


def test_orphans_are_runs_whose_coordinator_is_over_or_gone(file):
    cluster = FakeCluster()
    names = []
    for active in (1, 0, None):
        run = make(file, cluster).run
        if active is not None:
            made = run_manifests.coordinator(run, "loadtest")
            cluster.made.append(made | {"status": {"active": active}})
        cluster.made.append(run_manifests.workers(run, "loadtest", "u", "a:1"))
        names.append(run.name)
    here = [("loadtest", name) for name in names]
    assert runner.orphans(cluster, "loadtest") == sorted(here[1:])
    assert runner.orphans(cluster, "loadtest", everything=True) == sorted(here)


def test_orphans_are_single_jobs_and_pinned_pods_as_well(file):
    cluster = FakeCluster()
    spec = make(file, cluster).run
    for name, active in (("load-a", 0), ("load-b", 1)):
        made = manifests.generator_job(
            name, "loadtest", "i", program="p", spec=spec, model="intent", seconds=1
        )
        cluster.made.append(made | {"status": {"active": active}})
    deployment = {
        "metadata": {"namespace": "models"}, "spec": {"template": {"spec": {"containers": []}}}
    }  # fmt: skip
    copy = pinned(deployment, "copy", model="intent", load_namespace="loadtest", seconds=1)
    cluster.pinned = [copy]
    assert runner.orphans(cluster, "loadtest") == [("loadtest", "load-a"), ("models", "copy")]


def test_a_result_survives_the_log(file):
    run = make(file, FakeCluster())
    result = run._lost("x" * 50_000)
    lines = delivery.lines(result)
    assert delivery.read(lines) == result
    assert max(map(len, lines)) < 9_000
    for broken in (lines[:-1] if len(lines) > 1 else [], [lines[0][:-8]]):
        with pytest.raises((delivery.NotDelivered, ValueError)):
            delivery.read(broken)


def test_render_prints_what_kubectl_takes(file, monkeypatch):
    monkeypatch.setattr(run_command, "Cluster", FakeCluster)
    done = CliRunner().invoke(app, ["run", str(file), "--render"])
    assert done.exit_code == 0
    (job,) = yaml.safe_load_all(done.output)
    (container,) = job["spec"]["template"]["spec"]["containers"]
    run = Run.model_validate_json(container["env"][0]["value"])
    assert (run.name, run.scenario.name) == (job["metadata"]["name"], "mine")


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_verdict_is_the_exit_code_and_the_file(file, tmp_path, monkeypatch, verdict):
    monkeypatch.setattr(run_command, "Cluster", FakeCluster)
    monkeypatch.setattr(
        runner.Runner,
        "go",
        lambda self: self._lost("why").model_copy(update={"verdict": verdict}),
    )
    out = tmp_path / "out"
    done = CliRunner().invoke(app, ["run", str(file), "--out", str(out), "--set", "load.shape=7"])
    assert done.exit_code == verdict.exit_code
    written = LoadTestResult.model_validate_json((out / "result.json").read_text())
    assert (written.verdict, written.scenario.load.shape.level) == (verdict, 7)
    assert f"{verdict}: {out}" in done.output


def test_progress_reads_well():
    assert run_command.words({"phase": "starting workers"}) == "starting workers"
    line = {
        "phase": "load", "second": 4, "end": 20.0, "users": 7, "sent": 3, "answered": 2,
        "failures": 1, "p95": 0.0123, "sockets": 7, "replicas": 2,
    }  # fmt: skip
    words = run_command.words(line)
    for word in ("5 of 20 s", "7 users", "3 requests/s", "1 failures", "12 ms", "2 pods"):
        assert word in words
