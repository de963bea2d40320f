"""The pinned pod is the release's own, and nothing of the release sees it."""

import copy

import pytest

from loadtest.calibration.manifests import NotCalibratable, pinned, port, release, times, with_cpu

SERVER = {
    "name": "server", "image": "nlpserve:1", "ports": [{"name": "http", "containerPort": 3000}],
    "env": [
        {"name": "NLPSERVE_QUEUE_LIMIT", "value": "512"},
        {"name": "NLPSERVE_THREADS", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
    ],
    "resources": {
        "requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"cpu": "250m", "memory": "512Mi"}
    },
    "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
    "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http"}},
}  # fmt: skip
SELECTOR = {
    "app.kubernetes.io/name": "nlpserve", "app.kubernetes.io/instance": "demo",
    "app.kubernetes.io/component": "model", "nlpserve/model": "intent", "nlpserve/track": "stable",
}  # fmt: skip
DEPLOYMENT = {
    "metadata": {"name": "demo-nlpserve-intent", "namespace": "models"},
    "spec": {
        "selector": {"matchLabels": SELECTOR},
        "template": {
            "metadata": {"labels": SELECTOR, "annotations": {"prometheus.io/scrape": "true"}},
            "spec": {
                "serviceAccountName": "demo",
                "containers": [SERVER],
                "topologySpreadConstraints": [{"maxSkew": 1}],
                "terminationGracePeriodSeconds": 60,
            },
        },
    },
}


@pytest.fixture
def job():
    return pinned(
        DEPLOYMENT, "calibrate-intent-abc", model="intent", load_namespace="loadtest", seconds=900
    )


def test_it_runs_what_the_release_runs(job):
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container == {key: value for key, value in SERVER.items() if key != "lifecycle"}
    assert job["spec"]["template"]["spec"]["serviceAccountName"] == "demo"
    assert job["metadata"]["namespace"] == "models"


def test_no_selector_of_the_release_finds_it(job):
    labels = job["spec"]["template"]["metadata"]["labels"]
    assert not SELECTOR.items() <= labels.items()
    # The NetworkPolicy and the PodDisruptionBudget look for the component.
    assert labels["app.kubernetes.io/component"] != "model"
    assert "app.kubernetes.io/instance" not in labels
    # Not scraped, and not named like a pod of the Deployment: KEDA's query counts it twice over.
    assert "annotations" not in job["spec"]["template"]["metadata"]
    assert not job["metadata"]["name"].startswith("demo-nlpserve-intent-")


def test_it_goes_by_itself_when_nobody_removes_it(job):
    assert job["spec"]["activeDeadlineSeconds"] == 900
    assert job["spec"]["ttlSecondsAfterFinished"] > 0
    assert (job["spec"]["backoffLimit"], job["spec"]["completions"]) == (0, 1)
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"


def test_the_deployment_itself_is_left_alone():
    before = copy.deepcopy(DEPLOYMENT)
    pinned(DEPLOYMENT, "x", model="intent", load_namespace="loadtest", seconds=1)
    assert before == DEPLOYMENT


def test_what_the_release_says():
    found = release(DEPLOYMENT)
    assert (found.cpu, found.memory, found.limits["memory"]) == ("250m", "256Mi", "512Mi")
    assert (found.queue_limit, found.deadline_seconds, found.max_texts) == (512, 5, 256)
    assert port(DEPLOYMENT) == 3000


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"resources": {}}, "no CPU limit or no memory"),
        ({"resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}, "no CPU limit"),
        (
            {"resources": {"requests": {"memory": "1Xi"}, "limits": {"cpu": "1"}}},
            "1Xi: no quantity",
        ),
        ({"env": [{"name": "NLPSERVE_API_KEYS_FILE", "value": "/secrets/k"}]}, "API keys"),
    ],
)
def test_what_cannot_be_calibrated_is_said(change, said):
    deployment = copy.deepcopy(DEPLOYMENT)
    deployment["spec"]["template"]["spec"]["containers"][0].update(change)
    with pytest.raises(NotCalibratable, match=said):
        release(deployment)


def test_several_pods_are_one_job():
    words = {"model": "intent", "load_namespace": "loadtest", "seconds": 1}
    made = pinned(DEPLOYMENT, "x", **words, pods=3)["spec"]
    assert (made["completions"], made["parallelism"], made["backoffLimit"]) == (3, 3, 0)


def changed(**server):
    deployment = copy.deepcopy(DEPLOYMENT)
    deployment["spec"]["template"]["spec"]["containers"][0].update(server)
    return deployment


@pytest.mark.parametrize(("cpu", "asked"), [("500m", "50m"), ("20m", "20m"), ("2", "50m")])
def test_another_cpu_limit(cpu, asked):
    before = copy.deepcopy(DEPLOYMENT)
    made = with_cpu(DEPLOYMENT, cpu)
    assert before == DEPLOYMENT
    (server,) = made["spec"]["template"]["spec"]["containers"]
    assert server["resources"]["limits"] == {"cpu": cpu, "memory": "512Mi"}
    assert server["resources"]["requests"] == {"cpu": asked, "memory": "256Mi"}
    assert release(made).cpu == cpu


@pytest.mark.parametrize(
    ("server", "cpu", "said"),
    [
        ({}, "1500m", "another number of threads"),
        ({"env": [{"name": "NLPSERVE_THREADS", "value": "2"}]}, "1", "another number of threads"),
        ({"env": [{"name": "NLPSERVE_THREADS", "value": "1"}]}, "4", "another number of threads"),
        ({}, "half", "no quantity of Kubernetes|could not convert"),
    ],
)
def test_a_cpu_limit_that_the_pod_is_not_made_for_is_refused(server, cpu, said):
    with pytest.raises(NotCalibratable, match=said):
        with_cpu(changed(**server), cpu)


def test_times_of_a_pod():
    pod = {
        "metadata": {"creationTimestamp": "2026-01-01T00:00:00Z"},
        "status": {
            "conditions": [
                {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:04Z"}
            ],
            "containerStatuses": [{"state": {"running": {"startedAt": "2026-01-01T00:00:01Z"}}}],
        },
    }
    assert times(pod) == (1, 4)
    pod["status"]["conditions"][0]["status"] = "False"
    assert times(pod) is None
