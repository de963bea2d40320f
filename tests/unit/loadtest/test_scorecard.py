"""`scorecard` against a cluster that is made up."""

import json
import sys

import pytest
from typer.testing import CliRunner

from loadtest import scorecard, scorecard_command
from loadtest.cli import app, main
from loadtest.objects import JobState, Pod, Target
from loadtest.shaped import SECOND, ShapedLoad, ShapedResult
from nlpserve.autoscale_results import AutoscaleRecord, SecondCounts
from nlpserve.load_results import ClusterFacts

TARGET = Target("demo", "models", "demo", "s", 1, True, "nlpserve:1", 5, 60, {}, [])
BEGAN = 1_000_000.0
SAID = {"began": BEGAN, "seconds": 20, "sent": 100, "late_seconds": 0.01, "cpu": 0.3}
HPA = {
    "spec": {
        "scaleTargetRef": {"name": "demo"}, "minReplicas": 1, "maxReplicas": 4,
        "metrics": [{
            "type": "Resource",
            "resource": {
                "name": "cpu", "target": {"type": "AverageValue", "averageValue": "150m"}
            },
        }],
    },
    "status": {},
}  # fmt: skip
FACTS = {
    "model": "intent", "capacity": 10, "saturation": 12, "objectiveSeconds": 0.5,
    "objectiveShare": 0.99, "cpuLimit": 0.25, "cpuRequest": 0.05, "memoryRequestMib": 256,
    "readySeconds": 4, "points": [{"rate": 10, "inFlight": 1, "cpu": 0.2}],
}  # fmt: skip


class FakeCluster:
    """Two pods from the eighth second of the load on; the Job has ended after the twentieth."""

    namespace = "models"

    def __init__(self, _context=None):
        self.second = -2
        self.deleted = []
        self.hpa = HPA
        self.lines = [
            SECOND + SecondCounts(second=n, meant=5, answered=5, in_time=5).model_dump_json()
            for n in range(20)
        ]
        self.said = SAID

    def tick(self, _seconds):
        self.second += 1

    def now(self):
        return BEGAN + self.second

    def targets(self, *_):
        return [TARGET]

    def facts(self):
        return ClusterFacts(version="v1.36.3", nodes=[])

    def has_namespace(self, _):
        return True

    def service_port(self, *_):
        return 80

    def autoscaler_object(self, _):
        return self.hpa

    def deployment(self, _):
        server = {"name": "server", "resources": {"requests": {"cpu": "50m"}}}
        return {"spec": {"template": {"spec": {"containers": [server]}}}}

    def target(self, _):
        pods = 2 if self.second >= 8 else 1
        return Target("demo", "models", "demo", "s", pods, True, "i", 5, 60, {}, [])

    def pod_objects(self, *_):
        def pod(name, started, *, ready):
            condition = {"type": "Ready", "status": str(ready)}
            running = {"running": {"startedAt": started}}
            return {
                "metadata": {"name": name},
                "status": {
                    "conditions": [condition], "containerStatuses": [{"state": running}]
                },
            }  # fmt: skip

        pods = [pod("old", "1970-01-01T00:00:00Z", ready=True)]
        if self.second >= 9:
            pods.append(pod("new", "1970-01-12T13:46:49Z", ready=self.second >= 11))
        return pods

    def create_job(self, manifest):
        self.made = manifest

    def delete_job(self, namespace, name):
        self.deleted.append((namespace, name))

    def job_state(self, *_):
        done = self.second > 20
        message = ShapedResult(**self.said).model_dump_json() if done else ""
        pod = Pod("p", "n", "u", True, False, "Running", message, None)
        return JobState(pod, done, None)

    def whole_log(self, *_):
        return self.lines


@pytest.fixture
def cluster(monkeypatch):
    made = FakeCluster()
    monkeypatch.setattr(scorecard_command, "WholeCluster", lambda _: made)
    monkeypatch.setattr(scorecard.time, "sleep", made.tick)
    monkeypatch.setattr(scorecard.time, "time", made.now)
    return made


@pytest.fixture
def words(tmp_path):
    facts, scenario = tmp_path / "facts.json", tmp_path / "spike.yaml"
    facts.write_text(json.dumps(FACTS), encoding="utf-8")
    load = {"model": "open", "shape": 5, "seconds": 20}
    scenario.write_text(
        json.dumps({"name": "spike", "target": {"model": "intent"}, "load": load}),
        encoding="utf-8",
    )
    out = ["--calibration", str(facts), "--out", str(tmp_path / "out"), "--held-out"]
    return ["scorecard", str(scenario), *out]


def test_what_was_seen_and_counted_is_written(cluster, words, tmp_path):
    texts = tmp_path / "mine.txt"
    texts.write_text("one\n\n two \n", encoding="utf-8")
    done = CliRunner().invoke(app, [*words, "--texts", str(texts)])
    assert done.exit_code == 0, done.output
    record = AutoscaleRecord.model_validate_json((tmp_path / "out/spike-cpu.json").read_text())
    assert (record.held_out, record.autoscaler.mode, record.autoscaler.cpu_target) == (
        True, "cpu", 0.15
    )  # fmt: skip
    assert [(p.second, p.wanted, p.ready) for p in record.replicas] == [
        (0, 1, 1), (8, 2, 1), (11, 2, 2)
    ]  # fmt: skip
    score = record.score
    assert (score.decision_seconds, score.started_seconds, score.ready_seconds) == (8, 9, 11)
    assert (score.requests, score.failed, score.failed_after_ready) == (100, 0, 0)
    assert "| most pods | 2 |" in (tmp_path / "out/spike-cpu.md").read_text()
    assert len(cluster.deleted) == 1
    (container,) = cluster.made["spec"]["template"]["spec"]["containers"]
    spec = ShapedLoad.model_validate_json(container["env"][0]["value"])
    assert (spec.url, spec.texts) == ("http://demo.models.svc:80", ("one", "two"))


def test_of_many_own_texts_some_are_taken_from_all_over_the_file(cluster, words, tmp_path):
    texts = tmp_path / "mine.txt"
    texts.write_text("\n".join(map(str, range(1000))), encoding="utf-8")
    done = CliRunner().invoke(app, [*words, "--texts", str(texts)])
    assert done.exit_code == 0, done.output
    (container,) = cluster.made["spec"]["template"]["spec"]["containers"]
    load = ShapedLoad.model_validate_json(container["env"][0]["value"])
    assert load.texts == tuple(map(str, range(0, 1000, 13)))
    # A fifth of what a pod holds, for forty seconds: what is asked before must not add pods.
    assert load.learn_rate == 2
    assert load.seconds == len(load.texts) / 2 + load.load.end


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ({"lines": []}, "of 20 seconds' counts 0 were found"),
        (
            {"said": SAID | {"late_seconds": 0.3}},
            "late",
        ),
        (
            {"said": SAID | {"cpu": 0.95}},
            "0.95",
        ),
        ({"hpa": None}, "no autoscaler"),
        ({"said": SAID | {"began": BEGAN + 5}}, "the clocks differ"),
        ({"said": SAID | {"began": BEGAN - 30}}, "the clocks differ"),
    ],
)
def test_an_invalid_run_writes_nothing(  # noqa: PLR0917
    cluster, words, tmp_path, monkeypatch, spoil, said
):
    for name, value in spoil.items():
        setattr(cluster, name, value)
    monkeypatch.setattr(sys, "argv", ["loadtest", *words])
    written = []
    monkeypatch.setattr(sys.stderr, "write", written.append)
    assert main() == 2
    assert said in "".join(written)
    assert not (tmp_path / "out").exists()


def test_without_an_autoscaler_the_mode_is_none_when_that_is_said(cluster, words, tmp_path):
    cluster.hpa = None
    done = CliRunner().invoke(app, [*words, "--fixed"])
    assert done.exit_code == 0, done.output
    record = AutoscaleRecord.model_validate_json((tmp_path / "out/spike-none.json").read_text())
    assert (record.autoscaler.mode, record.autoscaler.max_replicas) == ("none", 1)
    assert record.signals == []


def test_an_autoscaler_where_none_should_be_is_invalid(cluster, words, tmp_path):
    done = CliRunner().invoke(app, [*words, "--fixed"])
    assert "an autoscaler owns" in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_users_who_wait_are_refused(cluster, words, tmp_path, monkeypatch):
    scenario = tmp_path / "spike.yaml"
    load = {"model": "closed", "shape": 5, "seconds": 20}
    scenario.write_text(
        json.dumps({"name": "spike", "target": {"model": "intent"}, "load": load}),
        encoding="utf-8",
    )
    monkeypatch.setattr(sys, "argv", ["loadtest", *words])
    written = []
    monkeypatch.setattr(sys.stderr, "write", written.append)
    assert main() == 2
    assert "open model" in "".join(written)


@pytest.mark.parametrize(("unit", "rate"), [("requests", 1), ("pods", 10), ("targets", 7)])
def test_rates_can_be_of_one_pods_capacity_or_cpu_target(cluster, words, unit, rate):
    """At 0.7 of the capacity this pod uses 0.14 cores, and in a straight line."""
    done = CliRunner().invoke(app, [*words, "--unit", unit])
    assert done.exit_code == 0, done.output
    (container,) = cluster.made["spec"]["template"]["spec"]["containers"]
    load = ShapedLoad.model_validate_json(container["env"][0]["value"])
    assert load.load.at(1) == pytest.approx(5 * rate)
