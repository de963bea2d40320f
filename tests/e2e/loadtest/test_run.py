"""`python -m loadtest run` in a real cluster: small counts, each verdict, nothing left behind."""

import json
import signal

import kubectl as k
import yaml

from loadtest import delivery
from nlpserve.load_results import Verdict
from nlpserve.load_tests import ReasonCode

CLOSED = {
    "model": "closed", "shape": 60, "ramp_seconds": 3, "seconds": 8,
    "think_seconds": {"least": 0.5, "most": 1.5},
}  # fmt: skip


def exactly_counted(result):
    counts, agreement = result.all.counts, result.agreement
    assert counts.sent == counts.answered == agreement.client_answers == agreement.pod_answers
    assert (agreement.missing, agreement.foreign, agreement.dead_pods) == (0, 0, 0)
    assert sum(second.sent for second in result.timeline) == counts.sent
    assert result.hold.intended.number == result.hold.counts.answered


def test_both_user_models_pass_and_count_exactly(place, release):
    opened = place.end("intent", place.start("intent"))
    assert (opened.verdict, opened.reasons) == (Verdict.PASS, [])
    exactly_counted(opened)
    assert opened.all.counts.sent == 160
    assert opened.target.artifact_sha256
    assert len(opened.pods) == 2
    assert place.left("intent") == ""

    closed = place.end(
        "intent", place.start("intent", load=CLOSED, workers={"number": 2, "start_seconds": 60})
    )
    assert (closed.verdict, closed.reasons) == (Verdict.PASS, [])
    exactly_counted(closed)
    assert [worker.index for worker in closed.workers] == [0, 1]
    assert closed.timeline[8].users == 60
    # A user that renews its connection has none for a moment; Prometheus may ask just then.
    assert 60 <= max(sum(second.sockets) for second in closed.timeline) <= 62
    assert place.left("intent") == ""


def test_a_rollout_meanwhile_is_counted_to_the_last_words_of_the_old_pods(place, release):
    long = {"model": "open", "shape": 20, "seconds": 90}
    running = place.start("intent", load=long, expected=["rollout"], timeout_seconds=10)
    deployment = f"deployment/{release.name}-nlpserve-intent"
    k.until("the workers", lambda: any("-w-" in pod for pod in place.pods("intent")), 120)
    place.namespace.kubectl("rollout", "restart", deployment)
    place.namespace.kubectl("rollout", "status", deployment, "--timeout=2m", timeout=130)
    result = place.end("intent", running, 240)
    assert (result.verdict, result.reasons) == (Verdict.PASS, [])
    exactly_counted(result)
    gone = [pod for pod in result.pods if pod.last_second is not None]
    assert len(gone) == 2
    assert {pod.source for pod in gone} == {"log"}
    assert len(result.pods) == 4


def test_own_texts_by_hand_as_manifests(place, release):
    """What `--render` prints makes the same run; its result is in the coordinator's log."""
    own = ["un train pour Lyon", "un hôtel à Nice ce soir", "quel film passe demain ?"]
    (place.folder / "mine.txt").write_text("\n".join(own), encoding="utf-8")
    with place.start("intent", "--render", texts={"file": "mine.txt"}) as rendering:
        manifests, wrong = rendering.communicate(timeout=60)
    assert rendering.returncode == 0, wrong
    place.namespace.kubectl("apply", "-f", "-", feed=manifests)
    (job,) = (one for one in yaml.safe_load_all(manifests) if one["kind"] == "Job")
    name = job["metadata"]["name"]
    place.namespace.wait(f"job/{name}", "Complete", 120)
    result = delivery.read(place.namespace.kubectl("logs", f"job/{name}").splitlines())
    assert (result.verdict, result.reasons) == (Verdict.PASS, [])
    assert result.all.counts.sent == result.agreement.pod_answers == 160
    assert result.scenario.texts.file == "mine.txt"


def test_every_fault_has_its_verdict_side_by_side_and_leaves_nothing(place):
    modes = ("good", "500", "hang", "garbage", "killed", "evicted", "interrupted")
    names = {mode: place.fake(mode) for mode in modes}
    names["nobody"] = place.fake("nobody", replicas=0)
    place.ready(*(names[mode] for mode in modes))
    long = {"load": {"model": "open", "shape": 5, "seconds": 60}}
    quick = {"workers": {"start_seconds": 15, "memory": "128Mi", "cpu_request": "20m"}}
    more = {"killed": long, "evicted": long, "interrupted": long, "nobody": quick}
    running = {mode: place.start(name, **more.get(mode, {})) for mode, name in names.items()}

    def loaded(mode):
        return [pod for pod in place.pods(names[mode]) if "-w-" in pod]

    for mode in ("killed", "evicted", "interrupted"):
        k.until(f"the workers of {mode}", lambda mode=mode: loaded(mode), seconds=120)
    coordinator = next(pod for pod in place.pods(names["killed"]) if "-w-" not in pod)
    place.namespace.kubectl("delete", "pod", coordinator, "--grace-period=0", "--force")
    evict(place, loaded("evicted")[0])
    running["interrupted"].send_signal(signal.SIGINT)
    with running["interrupted"] as interrupted:
        _, said = interrupted.communicate(timeout=120)
    assert interrupted.returncode == 130
    assert "deleted" in said
    assert place.left(names["interrupted"]) == ""

    ends = {m: place.end(names[m], running[m]) for m in running if m != "interrupted"}
    found = {mode: (end.verdict, {r.code for r in end.reasons}) for mode, end in ends.items()}
    assert found == {
        "good": (Verdict.PASS, set()),
        "500": (Verdict.FAIL, {ReasonCode.OBJECTIVE}),
        "hang": (Verdict.FAIL, {ReasonCode.OBJECTIVE}),
        "garbage": (Verdict.FAIL, {ReasonCode.OBJECTIVE}),
        "killed": (Verdict.INVALID, {ReasonCode.NOT_RUN}),
        "evicted": (Verdict.INVALID, {ReasonCode.WORKER_LOST}),
        "nobody": (Verdict.INVALID, {ReasonCode.UNREACHABLE}),
    }
    assert ends["500"].all.counts.status == ends["500"].all.counts.sent > 0
    assert ends["hang"].all.counts.timed_out == ends["hang"].all.counts.sent > 0
    assert ends["garbage"].all.counts.wrong == ends["garbage"].all.counts.sent > 0
    for mode in ends:
        assert place.left(names[mode]) == "", mode


def test_a_missed_latency_or_rate_fails_a_run_in_which_nothing_was_lost(place):
    wanted = {
        "late": {"latency": {"p50": 3, "p99.9": 0.2}, "answered_rate": 1},
        "few": {"latency": {"p99.9": 3}, "answered_rate": 100},
    }
    unthinking = {"model": "closed", "shape": 4, "ramp_seconds": 1, "seconds": 8}
    names = {name: place.fake("slow", name=name) for name in wanted}
    place.ready(*names.values())
    loads = {"late": {}, "few": {"load": unthinking}}
    running = {
        name: place.start(names[name], objectives=wanted[name], **loads[name]) for name in wanted
    }
    ends = {name: place.end(names[name], run) for name, run in running.items()}
    for name, missed in (("late", "p99.9"), ("few", "answered_rate")):
        end = ends[name]
        assert (end.verdict, {r.code for r in end.reasons}) == (
            Verdict.FAIL,
            {ReasonCode.OBJECTIVE},
        )
        assert [item.name for item in end.objectives if not item.met] == [missed]
        exactly_counted(end)


def evict(place, pod):
    eviction = {
        "apiVersion": "policy/v1", "kind": "Eviction",
        "metadata": {"name": pod, "namespace": place.namespace.name},
    }  # fmt: skip
    path = f"/api/v1/namespaces/{place.namespace.name}/pods/{pod}/eviction"
    k.kubectl("create", "--raw", path, "-f", "-", feed=json.dumps(eviction))
