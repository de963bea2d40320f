"""Every reason for INVALID that a run can come to, made for real. test_run.py has the faults."""

import kubectl as k

from nlpserve.load_results import Verdict
from nlpserve.load_tests import ReasonCode

LENIENT = {"most_lag_seconds": 5, "most_cpu": 1, "least_rate": 0.8, "most_throttled": 1}
"""Others load the node, too; each run adds the limit that it is about."""
START = {"start_seconds": 120, "cpu_request": "20m"}

RUNS = {
    "starved": {
        # More users than a tenth of a core can keep.
        "load": {
            "model": "closed", "shape": 15000, "ramp_seconds": 1, "seconds": 10,
            "think_seconds": {"least": 10, "most": 20},
        },
        "workers": {**START, "cpu": "100m", "memory": "1Gi"},
        "validity": {},
    },
    "narrow": {"validity": {**LENIENT, "most_ports": 0.0001, "most_descriptors": 0.0001}},
    "pinned": {
        # One connection, whose pod gets everything.
        "load": {"model": "open", "shape": 50, "seconds": 12, "most_in_flight": 1},
        "connections": {"least": 1},
        "validity": LENIENT,
    },
    "stuck": {
        "load": {
            "model": "open", "shape": 20, "ramp_seconds": 2, "seconds": 6, "most_in_flight": 1,
        },
        "timeout_seconds": 10,
    },
    "miscounting": {},
    "late": {"load": {"model": "open", "shape": 10, "seconds": 90}},
    "dying": {"load": {"model": "open", "shape": 20, "seconds": 20}},
}  # fmt: skip


def test_every_reason_for_invalid_is_found(place):
    modes = {"stuck": "hang", "miscounting": "miscounting", "late": "late"}
    names = {
        name: place.fake(
            modes.get(name, "good"), name=name, replicas=2 if name in {"pinned", "dying"} else 1
        )
        for name in RUNS
    }
    place.ready(*names.values())
    running = {name: place.start(names[name], **changes) for name, changes in RUNS.items()}
    k.until(
        "the workers of dying", lambda: any("-w-" in pod for pod in place.pods(names["dying"])), 120
    )
    dying = place.namespace.ready_pods(f"nlpserve/model={names['dying']},nlpserve/track=stable")
    victim = dying[0]["metadata"]["name"]
    # More than it is asked before the load: answers that nobody will know of.
    k.until("its first answers", lambda: answered(place, victim) > 60, 60)
    place.namespace.kubectl("delete", "pod", victim, "--grace-period=0", "--force")
    ends = {name: place.end(names[name], run, 240) for name, run in running.items()}
    found = {name: {reason.code for reason in end.reasons} for name, end in ends.items()}
    assert {name: end.verdict for name, end in ends.items()} == dict.fromkeys(RUNS, Verdict.INVALID)
    assert found["starved"] >= {
        ReasonCode.WORKER_CPU,
        ReasonCode.WORKER_THROTTLED,
        ReasonCode.WORKER_LAG,
        ReasonCode.USERS_MISSED,
    }
    assert found["narrow"] == {ReasonCode.PORTS, ReasonCode.DESCRIPTORS}
    assert ReasonCode.SKEWED in found["pinned"]
    assert found["stuck"] >= {ReasonCode.RATE_MISSED, ReasonCode.SPARED}
    assert found["miscounting"] == {ReasonCode.COUNTS_DISAGREE}
    assert found["late"] == {ReasonCode.UNCHECKED, ReasonCode.OBJECTIVE}
    assert found["dying"] >= {ReasonCode.PODS_CHANGED, ReasonCode.COUNTS_MISSING}
    for name in names.values():
        assert place.left(name) == "", name


def answered(place, pod):
    """Requests that a fake model's pod has counted."""
    path = f"/api/v1/namespaces/{place.namespace.name}/pods/{pod}:3000/proxy/metrics"
    lines = k.kubectl("get", "--raw", path).splitlines()
    return sum(int(line.rpartition(" ")[2]) for line in lines if "classify" in line)
