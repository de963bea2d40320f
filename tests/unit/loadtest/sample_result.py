"""A load test's result as a run would give it, seeded."""

import math
import random

from nlpserve.load_results import ClusterFacts, Counts, NodeFacts, Verdict
from nlpserve.load_scenarios import Scenario
from nlpserve.load_tests import (
    Achieved,
    Agreement,
    LoadTestResult,
    Measured,
    ObjectiveResult,
    PodFacts,
    Reason,
    ReasonCode,
    ReplicaPoint,
    Second,
    Series,
    TargetState,
    WorkerFacts,
)

RISE, HOLD, PEAK = 20, 100, 200


def make_result(*, verdict=Verdict.PASS, open_model=False, stall=False, slower=1.0, seed=1):
    rng = random.Random(seed)
    load = {
        "model": "open" if open_model else "closed", "shape": PEAK, "ramp_seconds": RISE,
        "seconds": HOLD, **({} if open_model else {"think_seconds": {"least": 1, "most": 3}}),
    }  # fmt: skip
    scenario = Scenario.model_validate({
        "name": "sample", "description": "A <made-up> run.", "target": {"model": "intent"},
        "load": load, "workers": {"number": 2},
        "objectives": {"latency": {"p99": 0.5}, "answered_rate": 50},
    })  # fmt: skip
    timeline, rise, hold = [], Measured(seconds=RISE), Measured(seconds=HOLD)
    for second in range(RISE + HOLD):
        level = scenario.load.at(second)
        rate = level if open_model else level / 2.05
        slow = 25 if stall and 60 <= second < 70 else 1
        row = Second(
            second=second, intended=level, users=0 if open_model else round(level),
            in_flight=round(rate * 0.02 * slow), sockets=[round(level / 2)] * 2,
        )  # fmt: skip
        part = rise if second < RISE else hold
        for _ in range(max(0, round(rng.gauss(rate, rate**0.5)))):
            latency = rng.lognormvariate(math.log(0.02 * slower), 0.5) * slow
            row.sent += 1
            part.counts.sent += 1
            part.counts.answered += 1
            row.answered += 1
            row.latency.record(latency)
            part.intended.record(latency)
            part.sent.record(latency / slow)
        if stall and slow > 1:
            row.failures = 5
            part.counts.sent += 5
            part.counts.shed += 5
        timeline.append(row)
    for part in (rise, hold):
        part.statuses = {200: part.counts.answered, 503: part.counts.shed}
    p99 = hold.intended.percentile(99)
    answered = hold.counts.answered / HOLD
    everything = rise.counts + hold.counts
    reasons = {
        Verdict.PASS: [],
        Verdict.FAIL: [
            Reason(code=ReasonCode.OBJECTIVE, text=f"p99 was {p99:.2f} s, wanted at most 0.5 s")
        ],
        Verdict.INVALID: [
            Reason(code=ReasonCode.WORKER_CPU, text="worker 1 used 97 % of its CPU limit"),
            Reason(code=ReasonCode.SKEWED, text="pod a got 1.9 times its share of the requests"),
        ],
    }[verdict]
    shares = [round(everything.answered * 0.52), 0]
    shares[1] = everything.answered - shares[0]
    pods = [f"nlpserve-intent-7d9c-{name}" for name in ("abcde", "fghij")]
    node = NodeFacts(
        kubelet="v1.36.3", system="Debian GNU/Linux 12", kernel="6.18", runtime="containerd://2.4",
        cpus="2", memory="24Gi",
    )  # fmt: skip
    return LoadTestResult(
        version="0.1.0", commit="0123456789abcdef", run="sample-x7k2p",
        started="2026-01-02T03:04:05+00:00", seconds=151.2, verdict=verdict, reasons=reasons,
        scenario=scenario, load_image="localhost/nlpserve-load:0.1.0",
        target=TargetState(
            model="intent", model_version="1.0.0", artifact_sha256="ab" * 32,
            url="http://nlpserve-intent.nlpserve:80", namespace="nlpserve",
            deployment="nlpserve-intent", release="nlpserve", image="localhost/nlpserve:0.1.0",
            values_hash="cd" * 32, environment={"NLPSERVE_DEADLINE_SECONDS": "2"},
            resources={"requests": {"cpu": "500m"}, "limits": {"memory": "1Gi"}}, autoscaler=None,
        ),
        cluster=ClusterFacts(version="v1.36.3", nodes=[node, node]), load_average=0.4,
        objectives=[
            ObjectiveResult(
                name="p99", unit="s", bound="most", limit=0.5, measured=p99,
                met=verdict is not Verdict.FAIL,
            ),
            ObjectiveResult(
                name="answered_rate", unit="1/s", bound="least", limit=50, measured=answered,
                met=True,
            ),
        ],
        achieved=Achieved(
            intended_requests=HOLD * PEAK if open_model else None, sent=hold.counts.sent,
            intended_rate=PEAK if open_model else None, sent_rate=hold.counts.sent / HOLD,
            answered_rate=answered, intended_users=None if open_model else PEAK,
            least_user_share=None if open_model else 1,
        ),
        rise=rise, hold=hold, timeline=timeline,
        workers=[
            WorkerFacts(
                index=index, pod=f"w{index}", cpu_limit=1, cpu_share=0.31, cpu_share_most=0.52,
                periods=1000, throttled_periods=3, throttled_seconds=0.1, lag_p99=0.002,
                lag_most=0.02, sockets_least=98, sockets_most=100, connections=101, closed_idle=0,
                closed_by_answer=1, closed_by_plan=0, descriptors_most=140,
                descriptors_limit=20_000, ports_most=101, ports_limit=28_232,
                memory_most=90 << 20, counts=Counts(sent=everything.sent // 2),
            )
            for index in range(2)
        ],
        pods=[
            PodFacts(name=name, image_digest="sha256:" + "ef" * 32, before={"200": 5},
                     after={"200": 5 + number})
            for name, number in zip(pods, shares, strict=True)
        ],
        agreement=Agreement(
            client_answers=everything.sent, client_unanswered=0, pod_answers=everything.sent,
            dead_pods=0, missing=0, foreign=0,
        ),
        replicas=[
            ReplicaPoint(second=0, wanted=1, ready=1), ReplicaPoint(second=50, wanted=2, ready=1),
            ReplicaPoint(second=58, wanted=2, ready=2),
        ],
        prometheus=[
            Series(name=name, unit=unit, query="q", labels={"pod": pod} if pod else {},
                   points=[(float(s), base * rng.uniform(0.8, 1.2)) for s in range(0, 120, 5)])
            for name, unit, pod, base in (
                ("cpu", "cores", pods[0], 0.4), ("cpu", "cores", pods[1], 0.35),
                ("queue_wait_p50", "s", "", 0.002), ("queue_wait_p99", "s", "", 0.015),
                ("batch_size", "texts", "", 3),
            )
        ],
    )  # fmt: skip
