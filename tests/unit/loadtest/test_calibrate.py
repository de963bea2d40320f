"""`calibrate` against a cluster that is made up: what it makes, removes, writes and refuses."""

import json
import sys

import pytest
import yaml
from typer.testing import CliRunner

from loadtest import calibrate as module
from loadtest import calibrate_command
from loadtest.calibration.knee_search import SearchPlan
from loadtest.calibration.search import search
from loadtest.calibration.spec import CalibrationLoad, Searched
from loadtest.calibration.trials import Objective, Trial
from loadtest.cli import app, main
from loadtest.cluster import ClusterError
from loadtest.objects import JobState, Pod, Target
from loadtest.protocol import SPEC_VARIABLE
from nlpserve.autoscaling import Calibration

SERVER = {
    "name": "server", "image": "nlpserve:1", "ports": [{"containerPort": 3000}],
    "resources": {"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"cpu": "250m"}},
}  # fmt: skip
DEPLOYMENT = {
    "metadata": {"name": "demo-nlpserve-intent", "namespace": "models"},
    "spec": {"template": {"metadata": {}, "spec": {"containers": [SERVER]}}},
}
TARGET = Target("demo-nlpserve-intent", "models", "demo", "s", 1, True, "nlpserve:1", 5, 60, {}, [])
READY = {
    "metadata": {"creationTimestamp": "2026-01-01T00:00:00Z"},
    "status": {
        "podIP": "10.0.0.9",
        "conditions": [
            {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:04Z"}
        ],
        "containerStatuses": [{"state": {"running": {"startedAt": "2026-01-01T00:00:01Z"}}}],
    },
}


def pod(message="", exit_code=None):
    return Pod("p", "n", "u", True, False, "Running", message, exit_code)


def trial(wish, holds):
    meant = round(wish.rate * wish.seconds)
    return Trial(
        rate=wish.rate, seconds=wish.seconds, meant=meant, sent=meant, answered=meant,
        in_time=meant if wish.rate < holds else 0, mean_seconds=0.01, share_seconds=0.02,
        answered_rate=min(wish.rate, holds * 1.1), open=wish.rate / 100, gauge=wish.rate / 100,
        cpu=wish.rate / holds * 0.2, generator_cpu=0.1, lag=0.001,
    )  # fmt: skip


def found(holds=100.0):
    steps = search(SearchPlan(objective=Objective(seconds=0.5, share=0.99)))
    wish = next(steps)
    while True:
        try:
            wish = steps.send(trial(wish, holds))
        except StopIteration as end:
            return end.value


def searched(**given):
    facts = {"model_version": "1", "language": "fr", "texts": 200, "memory_bytes": 2**28}
    return Searched(**({"found": found()} | facts | given))


class FakeCluster:
    namespace = "models"

    def __init__(self, _context=None):
        self.made, self.deleted = [], []
        self.said = searched().model_dump_json()
        self.failure = None

    def targets(self, *_):
        return [TARGET]

    def has_namespace(self, _):
        return True

    def deployment(self, _):
        return DEPLOYMENT

    def pod_objects(self, *_):
        return [READY] * self.made[0]["spec"]["completions"]

    def create_job(self, manifest):
        self.made.append(manifest)

    def delete_job(self, namespace, name):
        self.deleted.append((namespace, name))

    def last_lines(self, *_):
        return []

    def warnings(self, *_):
        return []

    def job_state(self, _namespace, name):
        if name.startswith("calibrate-load"):
            return JobState(pod(self.said), True, self.failure)
        return JobState(pod(), False, None)


@pytest.fixture
def cluster(monkeypatch):
    made = FakeCluster()
    monkeypatch.setattr(calibrate_command, "WholeCluster", lambda _: made)
    monkeypatch.setattr(module, "PERIOD_SECONDS", 0)
    return made


def run(tmp_path, *words):
    out = tmp_path / "out" / "values.yaml"
    done = CliRunner().invoke(app, ["calibrate", "--model", "intent", "--out", str(out), *words])
    return done, out


def both_gone(cluster):
    made = {(job["metadata"]["namespace"], job["metadata"]["name"]) for job in cluster.made}
    return set(cluster.deleted) == made and len(made) == 2


def test_it_writes_values_and_facts_and_leaves_nothing(cluster, tmp_path):
    done, out = run(tmp_path, "--form", "quick")
    assert done.exit_code == 0, done.output
    values = yaml.safe_load(out.read_text(encoding="utf-8"))["models"]["intent"]
    facts = Calibration.model_validate_json(out.with_suffix(".json").read_text(encoding="utf-8"))
    assert values["capacity"] == pytest.approx(facts.capacity, rel=0.005)
    assert 80 < facts.capacity <= 100
    assert (facts.ready_seconds, facts.schedule_seconds, facts.cpu_limit) == (4, 1, 0.25)
    assert both_gone(cluster)
    copy, load = cluster.made
    assert copy["metadata"]["namespace"] == "models"
    (container,) = load["spec"]["template"]["spec"]["containers"]
    spec = CalibrationLoad.model_validate_json(container["env"][0]["value"])
    assert container["env"][0]["name"] == SPEC_VARIABLE
    assert (spec.urls, spec.search.repeats) == (("http://10.0.0.9:3000",), 5)


def test_several_pods_of_another_size(cluster, tmp_path):
    done, out = run(tmp_path, "--pods", "3", "--cpu", "500m", "--batch-size", "32")
    assert done.exit_code == 0, done.output
    facts = Calibration.model_validate_json(out.with_suffix(".json").read_text(encoding="utf-8"))
    assert (facts.measured_pods, facts.cpu_limit, facts.max_batch_size) == (3, 0.5, 32)
    values = yaml.safe_load(out.read_text(encoding="utf-8"))["models"]["intent"]
    assert values["batching"]["maxBatchSize"] == 32
    assert "3 pods were loaded together" in out.read_text(encoding="utf-8")
    copy, load = cluster.made
    assert copy["spec"]["parallelism"] == 3
    (pinned,) = copy["spec"]["template"]["spec"]["containers"]
    assert {"name": "NLPSERVE_MAX_BATCH_SIZE", "value": "32"} in pinned["env"]
    spec = json.loads(load["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"])
    assert spec["urls"] == ["http://10.0.0.9:3000"] * 3


def test_own_texts_are_sent_and_named(cluster, tmp_path):
    texts = tmp_path / "mine.txt"
    texts.write_text("one\n\n two \n", encoding="utf-8")
    done, out = run(tmp_path, "--texts", str(texts))
    assert done.exit_code == 0, done.output
    env = cluster.made[1]["spec"]["template"]["spec"]["containers"][0]["env"]
    assert json.loads(env[0]["value"])["texts"] == ["one", "two"]
    assert "mine.txt, 200" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            {"said": searched(found=None, invalid="the generator was late").model_dump_json()},
            "late",
        ),
        ({"said": "Killed"}, "cannot be read"),
        ({"failure": "DeadlineExceeded"}, "the load failed: DeadlineExceeded"),
    ],
)
def test_an_invalid_run_writes_nothing_and_leaves_nothing(
    cluster, tmp_path, monkeypatch, spoil, said
):
    for name, value in spoil.items():
        setattr(cluster, name, value)
    out = tmp_path / "values.yaml"
    words = ["loadtest", "calibrate", "--model", "intent", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", words)
    written = []
    monkeypatch.setattr(sys.stderr, "write", written.append)
    assert main() == 2
    assert "INVALID: " in "".join(written)
    assert said in "".join(written)
    assert not out.exists()
    assert both_gone(cluster)


def refused(monkeypatch, *words):
    """What is said on standard error when nothing can be run."""
    monkeypatch.setattr(sys, "argv", ["loadtest", "calibrate", "--model", "intent", *words])
    written = []
    monkeypatch.setattr(sys.stderr, "write", written.append)
    assert main() == 2
    return "".join(written)


def test_a_place_that_cannot_be_written_is_told_before_anything_is_made(
    cluster, tmp_path, monkeypatch
):
    (tmp_path / "file").write_text("", encoding="utf-8")
    for out, said in (
        ("values.json", "another ending"),
        ("file/values.yaml", "cannot be written"),
        (".", "is a folder"),
    ):
        assert said in refused(monkeypatch, "--out", str(tmp_path / out))
    assert cluster.made == []


def test_an_objective_beyond_the_deadline_is_told_before_anything_is_made(
    cluster, tmp_path, monkeypatch
):
    words = ("--out", str(tmp_path / "v.yaml"), "--objective-seconds", "6")
    assert "the release sheds" in refused(monkeypatch, *words)
    assert cluster.made == []


def test_a_long_objective_makes_loads_long(cluster, tmp_path):
    done, out = run(tmp_path, "--form", "quick", "--objective-seconds", "5")
    assert done.exit_code == 0, done.output
    env = cluster.made[1]["spec"]["template"]["spec"]["containers"][0]["env"]
    spec = CalibrationLoad.model_validate_json(env[0]["value"])
    assert (spec.search.seconds, spec.search.point_seconds) == (30, 37.5)
    assert cluster.made[1]["spec"]["activeDeadlineSeconds"] > 60 * spec.search.seconds
    assert "loads of 30 s" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("pods", "said"),
    [
        (
            [{"status": {"conditions": [
                {"type": "PodScheduled", "status": "False", "message": "0/1 nodes: no CPU"}
            ]}}],
            "no CPU",
        ),
        ([], "exceeded quota"),
    ],
)  # fmt: skip
def test_a_pinned_pod_that_does_not_come_is_explained(cluster, tmp_path, monkeypatch, pods, said):
    monkeypatch.setattr(module, "START_SECONDS", 0)
    monkeypatch.setattr(cluster, "pod_objects", lambda *_: pods)
    monkeypatch.setattr(cluster, "job_state", lambda *_: JobState(None, False, None))
    monkeypatch.setattr(cluster, "warnings", lambda *_: ["pods is forbidden: exceeded quota"])
    assert said in refused(monkeypatch, "--out", str(tmp_path / "v.yaml"))
    assert len(cluster.deleted) == 1


def test_an_interrupt_removes_both_jobs(cluster, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cluster, "last_lines", interrupted)
    monkeypatch.setattr(
        cluster, "job_state", lambda *_: JobState(pod(), succeeded=False, failure=None)
    )
    done, out = run(tmp_path)
    assert done.exit_code == 130
    assert both_gone(cluster)
    assert not out.exists()


def test_a_cluster_that_fails_is_named(cluster, tmp_path, monkeypatch):
    def refuse(manifest):
        raise ClusterError(f"create Job {manifest['metadata']['name']}: 403 quota exceeded")

    monkeypatch.setattr(cluster, "create_job", refuse)
    done, _ = run(tmp_path)
    assert isinstance(done.exception, ClusterError)
    assert "quota exceeded" in str(done.exception)
