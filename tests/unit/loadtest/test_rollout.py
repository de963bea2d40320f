"""The runner against a cluster that is made up: what it does, and what it leaves behind."""

import dataclasses

import pytest

from loadtest import attempt, disruptions
from loadtest.cluster import ClusterError
from loadtest.objects import Autoscaler, JobState, Pod, Target
from loadtest.rollout import Interrupted, Runner
from loadtest.spec import RolloutSpec, SpecError
from loadtest.target import find_target
from nlpserve.load_results import Counts, Disruption, LoadFacts, Verdict

TARGET = Target(
    name="nlpserve-intent", namespace="models", release="nlpserve", selector="a=b", replicas=2,
    whole=True, image="nlpserve:1", pre_stop_seconds=5, grace_seconds=60, environment={},
    managers=[{"manager": "helm"}],
)  # fmt: skip
SPEC = RolloutSpec(
    model="intent", namespace="models", load_namespace="loadtest", requests=200, seconds=20,
    settle_seconds=30,
)  # fmt: skip
HALF = Counts(sent=100, answered=100)
GOOD = LoadFacts(
    model_version="1", kept=HALF, new=HALF, seconds=20, slowest_answer=0.1, latest_start=0,
    longest_lag=0, connections=2, closed_by_answer=2, closed_idle=0,
)  # fmt: skip


class Silent:
    def show(self, what, sent, requests):
        pass


class FakeCluster:
    """Pods come and go at once; time goes on by a second with each look at the load."""

    def __init__(self, scaler=None, result=GOOD):
        self.numbers = iter(range(1000))
        self.current = [self.pod() for _ in range(TARGET.replicas)]
        self.scaler = scaler
        self.result = result.model_dump_json()
        self.second = 0
        self.jobs = []
        self.deleted = []
        self.done = []
        self.failure = None
        self.waiting = ""
        self.fail_on = {}

    def pod(self):
        number = next(self.numbers)
        return Pod(f"pod-{number}", "models", str(number), True, False, "Running", "", None)

    def note(self, *what):
        self.done.append(what)
        if what[0] in self.fail_on:
            raise self.fail_on[what[0]]

    def targets(self, namespace, selector):
        return [TARGET]

    def has_namespace(self, name):
        return name == "loadtest"

    def target(self, target):
        return dataclasses.replace(TARGET, replicas=len(self.current))

    def service_port(self, namespace, name):
        return 80

    def pods(self, namespace, selector):
        return list(self.current)

    def autoscaler(self, target):
        return self.scaler

    def restart(self, target, stamp):
        self.note("restart")
        self.current = [self.pod() for _ in self.current]

    def delete_pod(self, namespace, name, grace_seconds=None):
        self.note("delete")
        self.current = [pod for pod in self.current if pod.name != name] + [self.pod()]

    def scale(self, target, replicas):
        self.note("scale", replicas)
        self.resize(replicas)

    def bound(self, scaler, fewest, most):
        self.note("bound", fewest, most)
        self.resize(fewest)

    def resize(self, replicas):
        more = replicas - len(self.current)
        self.current = [*self.current, *(self.pod() for _ in range(more))][:replicas]

    def give_back(self, changed):
        self.note("give back", changed.managers)

    def create_job(self, manifest):
        self.second = 0
        self.jobs.append(manifest["metadata"]["name"])
        self.note("create")

    def job_state(self, namespace, name):
        self.second += 1
        over = self.second >= 20
        pod = Pod("load", namespace, "l", True, False, "", self.result if over else "", None)
        if self.waiting:
            pod = dataclasses.replace(pod, message=self.waiting)
        return JobState(pod, over, self.failure)

    def last_lines(self, pod, lines):
        return [f'progress {{"second": {self.second}, "sent": {self.second * 10}}}', "other"]

    def delete_job(self, namespace, name):
        self.note("delete job")
        self.deleted.append(name)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(attempt, "PERIOD_SECONDS", 0)
    monkeypatch.setattr(disruptions, "PERIOD_SECONDS", 0)


def run(cluster, disruption=Disruption.RESTART, **given):
    spec = SPEC.model_copy(update={"disruptions": (disruption,), **given})
    (found,) = Runner(cluster, spec, TARGET, Silent()).runs()
    assert cluster.deleted == cluster.jobs
    return found


@pytest.mark.parametrize(
    ("disruption", "gone", "new"),
    [(Disruption.RESTART, 2, 2), (Disruption.SCALE_DOWN, 2, 0), (Disruption.DELETE, 1, 1)],
)
def test_each_disruption_within_a_steady_load_passes(disruption, gone, new):
    cluster = FakeCluster()
    found = run(cluster, disruption)
    assert (found.verdict, found.reasons) == (Verdict.PASS, [])
    assert (found.disrupted.pods_gone, found.disrupted.pods_new) == (gone, new)
    assert found.disrupted.sent_before >= 24
    assert len(cluster.current) == TARGET.replicas  # as before


def test_all_disruptions_are_repeated():
    spec = SPEC.model_copy(update={"repeat": 2})
    cluster = FakeCluster()
    runs = list(Runner(cluster, spec, TARGET, Silent()).runs())
    assert [(found.disruption, found.repeat) for found in runs] == [
        (kind, repeat) for repeat in (1, 2) for kind in Disruption
    ]
    assert len(set(cluster.jobs)) == 6


def test_a_loss_fails():
    lossy = GOOD.model_copy(update={"new": Counts(sent=100, answered=99, reset=1)})
    found = run(FakeCluster(result=lossy))
    assert found.verdict is Verdict.FAIL
    assert found.reasons == ["1 of 100 on new connections: 1 reset"]


def test_what_was_changed_is_changed_back_and_given_back():
    cluster = FakeCluster()
    run(cluster, Disruption.SCALE_DOWN)
    wanted = [("scale", 3), ("scale", 1), ("scale", 2), ("give back", TARGET.managers)]
    assert [what for what in cluster.done if what[0] in ("scale", "give back")] == wanted


def test_an_autoscaler_is_narrowed_and_not_fought():
    scaler = Autoscaler("s", "models", TARGET.name, None, 2, 10, [{"manager": "helm"}])
    cluster = FakeCluster(scaler)
    found = run(cluster, Disruption.SCALE_DOWN)
    assert found.verdict is Verdict.PASS
    bounds = [what[1:] for what in cluster.done if what[0] == "bound"]
    assert bounds == [(3, 3), (1, 1), (2, 10)]
    assert ("give back", scaler.managers) in cluster.done


def test_an_autoscaler_that_somebody_else_writes_is_left_alone():
    scaler = Autoscaler("s", "models", TARGET.name, "ScaledObject x", 2, 10, [])
    cluster = FakeCluster(scaler)
    found = run(cluster, Disruption.SCALE_DOWN)
    assert found.verdict is Verdict.INVALID
    assert "ScaledObject x" in found.reasons[0]
    assert cluster.jobs == []
    assert not {"bound", "scale"} & {what[0] for what in cluster.done}


def test_a_failed_job_is_invalid_and_says_why():
    cluster = FakeCluster()
    cluster.failure = "TargetError: not ready"
    found = run(cluster)
    assert found.verdict is Verdict.INVALID
    assert "TargetError: not ready" in found.reasons[0]


def test_a_missing_image_is_told_at_once():
    cluster = FakeCluster()
    cluster.waiting = "ErrImagePull: no such image"
    found = run(cluster)
    assert "make load-image" in found.reasons[0]


def test_a_load_that_ends_before_the_disruption_is_invalid(monkeypatch):
    cluster = FakeCluster()
    monkeypatch.setattr(disruptions.Restart, "over", lambda self: cluster.second > 25)
    found = run(cluster)
    assert found.verdict is Verdict.INVALID
    assert "--seconds" in found.reasons[0]


def test_a_disruption_that_never_ends_is_invalid(monkeypatch):
    monkeypatch.setattr(disruptions.Restart, "over", lambda _: False)
    found = run(FakeCluster(), settle_seconds=0.05)
    assert found.verdict is Verdict.INVALID
    assert "was not over" in found.reasons[0]


def test_a_target_that_is_never_whole_gets_no_load(monkeypatch):
    monkeypatch.setattr(disruptions.Disturbance, "whole", lambda _: False)
    cluster = FakeCluster()
    assert run(cluster, settle_seconds=0.05).verdict is Verdict.INVALID
    assert cluster.jobs == []


def test_an_unreadable_result_is_invalid():
    cluster = FakeCluster()
    cluster.result = "{"
    assert "cannot be read" in run(cluster).reasons[0]


@pytest.mark.parametrize("step", ["create", "scale"])
def test_an_api_server_that_fails_makes_it_invalid_and_cleans_up(step):
    cluster = FakeCluster()
    cluster.fail_on[step] = ClusterError("away")
    assert run(cluster, Disruption.SCALE_DOWN).verdict is Verdict.INVALID
    assert "delete job" in {what[0] for what in cluster.done} or step == "scale"


def test_what_could_not_be_cleaned_up_is_told():
    cluster = FakeCluster()
    cluster.fail_on["delete job"] = ClusterError("delete Job load: away")
    spec = SPEC.model_copy(update={"disruptions": (Disruption.SCALE_DOWN,)})
    (found,) = Runner(cluster, spec, TARGET, Silent()).runs()
    assert found.verdict is Verdict.INVALID
    assert "delete Job load: away" in found.reasons
    assert ("scale", TARGET.replicas) in cluster.done  # the other thing is cleaned up all the same


@pytest.mark.parametrize("disruption", list(Disruption))
def test_ctrl_c_deletes_the_job_and_restores_the_target(disruption, monkeypatch):
    cluster = FakeCluster()

    class Impatient(Silent):
        def show(self, what, sent, requests):
            if sent:
                raise KeyboardInterrupt

    spec = SPEC.model_copy(update={"disruptions": (disruption,)})
    with pytest.raises(KeyboardInterrupt):
        list(Runner(cluster, spec, TARGET, Impatient()).runs())
    assert cluster.deleted == cluster.jobs != []
    assert len(cluster.current) == TARGET.replicas


def test_ctrl_c_says_what_could_not_be_undone(monkeypatch):
    scaler = Autoscaler("s", "models", TARGET.name, None, 2, 10, [])
    cluster = FakeCluster(scaler)

    class Impatient(Silent):
        def show(self, what, sent, requests):
            if sent:
                cluster.fail_on = {"bound": ClusterError("bound autoscaler s: 503")}
                raise KeyboardInterrupt

    spec = SPEC.model_copy(update={"disruptions": (Disruption.SCALE_DOWN,)})
    with pytest.raises(Interrupted) as interruption:
        list(Runner(cluster, spec, TARGET, Impatient()).runs())
    assert cluster.deleted == cluster.jobs != []
    wanted = "the target is not as it was (autoscaler s had 2 to 10 replicas): bound autoscaler s"
    assert interruption.value.left[0].startswith(wanted)


def test_a_target_that_is_not_there_or_not_alone_is_told(monkeypatch):
    cluster = FakeCluster()
    assert find_target(cluster, SPEC) == TARGET
    with pytest.raises(SpecError, match="k8s/loadtest"):
        find_target(cluster, SPEC.model_copy(update={"load_namespace": "nowhere"}))
    other = dataclasses.replace(TARGET, release="other")
    monkeypatch.setattr(cluster, "targets", lambda *_: [TARGET, other])
    with pytest.raises(SpecError, match="nlpserve, other"):
        find_target(cluster, SPEC)
    monkeypatch.setattr(cluster, "targets", lambda *_: [])
    with pytest.raises(SpecError, match="no model intent"):
        find_target(cluster, SPEC)
