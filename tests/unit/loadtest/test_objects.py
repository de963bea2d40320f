"""The API's JSON, as it comes from a cluster."""

import pytest

from loadtest import objects


def pod(**state):
    return {
        "metadata": {"name": "p", "namespace": "n", "uid": "u"},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"state": state or {"running": {}}}],
        },
    }


def deployment(**status):
    server = {
        "name": "server",
        "image": "nlpserve:1",
        "env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {}}],
        "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
    }
    counts = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "observedGeneration": 3}
    spec = {"containers": [{"name": "proxy", "image": "x"}, server]}
    return {
        "metadata": {"name": "d", "namespace": "n", "generation": 3},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"b": "2", "a": "1"}},
            "template": {"spec": {**spec, "terminationGracePeriodSeconds": 60}},
        },
        "status": counts | status,
    }


def test_a_running_pod():
    found = objects.read_pod(pod())
    assert (found.ready, found.ending, found.message, found.exit_code) == (True, False, "", None)


def test_a_pod_that_ended_has_its_message_and_one_that_waits_its_reason():
    ended = objects.read_pod(pod(terminated={"exitCode": 0, "message": "{}"}))
    assert (ended.message, ended.exit_code) == ("{}", 0)
    killed = objects.read_pod(pod(terminated={"exitCode": 137, "reason": "OOMKilled"}))
    assert killed.message == "OOMKilled"
    waiting = objects.read_pod(pod(waiting={"reason": "ErrImagePull", "message": "no"}))
    assert waiting.message == "ErrImagePull: no"


def test_a_pod_that_is_ending():
    item = pod()
    item["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert objects.read_pod(item).ending


def test_a_deployment_of_the_chart():
    found = objects.read_target(deployment())
    assert found.whole
    assert (found.image, found.pre_stop_seconds, found.grace_seconds) == ("nlpserve:1", 5, 60)
    assert found.environment == {"A": "1"}
    assert found.selector == "a=1,b=2"


@pytest.mark.parametrize(
    "status",
    [
        {"replicas": 3},
        {"updatedReplicas": 1},
        {"availableReplicas": 1},
        {"observedGeneration": 2},
    ],
)
def test_a_deployment_in_motion_is_not_whole(status):
    assert not objects.read_target(deployment(**status)).whole


def test_a_job_says_why_it_failed():
    condition = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}
    job = {"status": {"conditions": [condition | {"message": "limit"}]}}
    dead = objects.read_pod(pod(terminated={"exitCode": 1, "message": "TargetError: x"}))
    assert objects.read_job(job, [dead]).failure == "TargetError: x"
    assert objects.read_job(job, []).failure == "BackoffLimitExceeded: limit"
    running = objects.read_job({}, [dead])
    assert (running.succeeded, running.failure) == (False, None)
    assert objects.read_job({"status": {"succeeded": 1}}, [dead]).succeeded


def test_an_autoscaler_names_its_owner():
    item = {
        "metadata": {"name": "s", "namespace": "n"},
        "spec": {"scaleTargetRef": {"name": "d"}, "minReplicas": 2, "maxReplicas": 4},
    }
    assert objects.read_autoscaler(item).owner is None
    item["metadata"]["ownerReferences"] = [{"kind": "ScaledObject", "name": "x"}]
    assert objects.read_autoscaler(item).owner == "ScaledObject x"
