"""What models and autoscalers do when a part fails or there is no room, and who tells of it."""

from contextlib import contextmanager

import kubectl as k
import pytest

NAME = "demo-nlpserve-emotion"
AT_ONCE = {
    "scaleUp": {"stabilizationWindowSeconds": 0},
    "scaleDown": {"stabilizationWindowSeconds": 0},
}
"""The chart waits five minutes before it takes pods away; a test cannot."""


@pytest.fixture
def scaled(stage):
    """Emotion has from one to two pods, by CPU or by two texts in flight."""

    def upgrade(mode, *words, check=True, source="prometheus", **changes):
        given = stage.values()
        keda = {
            "serverAddress": f"http://{source}.{stage.namespace.name}:9090",
            "inFlight": 2,
            "fallback": {"replicas": 2, "failureThreshold": 2},
        }
        scaling = {"mode": mode, "minReplicas": 1, "maxReplicas": 2, "behavior": AT_ONCE}
        given["models"]["emotion"] |= {"autoscaling": scaling | {"keda": keda}} | changes
        stage.release.upgrade(*words, check=check, **given)

    def start(mode):
        upgrade(mode)
        k.until("a metric", lambda: condition(stage, "hpa", scaler[mode], "ScalingActive"), 120)
        k.until("one pod", lambda: len(stage.release.pods("emotion")) == 1, 120)

    scaler = {"cpu": NAME, "keda": f"{NAME}-keda"}
    start.upgrade = upgrade
    return start


def condition(stage, kind, name, wanted):
    """Whether the condition is true."""
    found = stage.namespace.get(kind, name)["status"].get("conditions", ())
    return {item["type"]: item["status"] for item in found}.get(wanted) == "True"


@contextmanager
def without(namespace, deployment):
    """A Deployment of the cluster without pods."""
    namespace.kubectl("scale", f"deployment/{deployment}", "--replicas=0")
    try:
        yield
    finally:
        namespace.kubectl("scale", f"deployment/{deployment}", "--replicas=1")
        namespace.wait(f"deployment/{deployment}", "Available", 120)


def lost(asking):
    return {status: number for status, number in asking.answers.items() if status != 200}


@pytest.mark.skipif(not k.is_local(), reason="another cluster's metrics-server has other users")
def test_without_metrics_server_the_pods_stay_and_it_is_told(stage, scaled):
    told = "NlpserveAutoscalerMetricMissing"
    scaled("cpu")
    k.until("silence", lambda: stage.silent(told, model="emotion"))
    with without(k.Namespace("kube-system"), "metrics-server"), stage.asking("emotion") as asking:
        stage.fire(told, model="emotion", seconds=150)
        assert len(stage.release.pods("emotion")) == 1
    assert lost(asking) == {}
    k.until("the alert resolved", lambda: stage.silent(told, model="emotion"), 150)


def test_without_its_prometheus_keda_falls_back_and_it_is_told(stage, scaled):
    told = "NlpserveAutoscalerFallback"
    scaled("keda")
    k.until("silence", lambda: stage.silent(told, model="emotion"))
    # Not by stopping the Prometheus that has to tell it, nor by its Service alone: KEDA keeps its
    # connections.
    scaled.upgrade("keda", source="gone")
    stage.fire(told, model="emotion", seconds=150)
    k.until("the fallback", lambda: condition(stage, "scaledobject", NAME, "Fallback"))
    k.until("its pods", lambda: len(stage.release.pods("emotion")) == 2, 90)
    scaled.upgrade("keda")
    k.until("its end", lambda: not condition(stage, "scaledobject", NAME, "Fallback"), 90)
    k.until("the alert resolved", lambda: stage.silent(told, model="emotion"), 90)
    k.until("one pod", lambda: len(stage.release.pods("emotion")) == 1, 120)


def test_a_pod_that_never_gets_ready_costs_nothing_and_is_told(stage, scaled):
    told = "NlpserveRolloutDoesNotEnd"
    scaled("cpu")
    before = stage.release.pods("emotion")
    k.until("silence", lambda: stage.silent(told, model="emotion"))
    with stage.asking("emotion") as asking:
        bad = {"artifact": {"path": "/app/bento/models"}}
        scaled.upgrade("cpu", "--timeout", "10s", check=False, **bad)
        stage.fire(told, model="emotion")
        assert stage.release.pods("emotion") == before
        scaled.upgrade("cpu")
        k.until("the alert resolved", lambda: stage.silent(told, model="emotion"))
    assert lost(asking) == {}


END = ("python", "-c", "import os, signal; os.kill(1, signal.SIGTERM)")
"""Ends the container's first process: the kernel lets nobody inside kill it."""


def restarts(stage):
    pods = stage.namespace.get("pods", "-l", "nlpserve/model=emotion")["items"]
    return sum(each["restartCount"] for pod in pods for each in pod["status"]["containerStatuses"])


def test_a_pod_that_ends_again_and_again_is_told(stage, scaled):
    down, loop = "NlpserveNoPodAvailable", "NlpservePodRestarts"
    scaled("cpu")
    k.until("silence", lambda: stage.silent(down, loop, model="emotion"))
    for number in (1, 2, 3, 4):  # the kubelet waits longer each time: at last for 40 s
        k.until("a ready pod", lambda: len(stage.release.pods("emotion")) == 1, 90)
        stage.namespace.run(f"deployment/{NAME}", *END)
        if number == 4:
            stage.fire(down, model="emotion")
        k.until("its restart", lambda least=number: restarts(stage) >= least, 90)
    stage.fire(loop, model="emotion")
    k.until("a ready pod", lambda: len(stage.release.pods("emotion")) == 1, 90)
    k.until("the outage's end", lambda: stage.silent(down, model="emotion"))


def test_a_quota_and_then_the_most_pods_are_told(stage, scaled):
    """Load for two pods where the quota lets there be one; then two, which is the most."""
    missing, most = "NlpservePodsMissing", "NlpserveAutoscalerAtMaximum"
    scaled("keda")
    k.until("silence", lambda: stage.silent(missing, most, model="emotion"))
    pods = len(stage.namespace.get("pods")["items"])
    limit = {"hard": {"count/pods": str(pods)}}
    name = {"name": "full"}
    stage.namespace.apply(
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": name, "spec": limit}
    )
    k.until(
        "the quota counted",
        lambda: "used" in stage.namespace.get("resourcequota", "full")["status"],
    )
    with stage.asking("emotion", clients=4, texts=8, pause=0) as asking:
        stage.fire(missing, most, model="emotion", seconds=150)
        assert len(stage.release.pods("emotion")) == 1
        stage.namespace.kubectl("delete", "resourcequota", "full")
        k.until("the second pod", lambda: len(stage.release.pods("emotion")) == 2, 240)
        k.until("no pod missing", lambda: stage.silent(missing, model="emotion"), 60)
        assert "firing" in stage.alerts(most, model="emotion")
        wanted = stage.namespace.get("hpa", f"{NAME}-keda")["status"]["desiredReplicas"]
        assert wanted == 2
    assert lost(asking) == {}
    k.until("one pod", lambda: len(stage.release.pods("emotion")) == 1, 150)
    k.until("the alert resolved", lambda: stage.silent(most, model="emotion"))
