import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest import manifests, run_manifests, scenario_file
from loadtest.messages import Run


@pytest.fixture(params=scenario_file.names())
def run(request):
    scenario, _ = scenario_file.read(request.param, ["target.namespace=models"])
    return Run(name="load-a-1", scenario=scenario, commit="c", image="load:1")


@pytest.fixture
def jobs(run):
    return (
        run_manifests.coordinator(run, "loadtest"),
        run_manifests.workers(run, "loadtest", "uid-1", "10.0.0.1:8765"),
    )


def test_both_jobs_end_are_never_tried_again_and_go_by_themselves(run, jobs):
    for job in jobs:
        assert job["spec"]["backoffLimit"] == 0
        assert job["spec"]["activeDeadlineSeconds"] > run.scenario.load.end
        assert job["spec"]["ttlSecondsAfterFinished"] <= 3600
        assert job["metadata"]["labels"][manifests.RUN_LABEL] == run.name
        assert json.loads(json.dumps(job)) == job


def test_pods_are_restricted_and_only_the_coordinator_has_a_token(jobs):
    for job in jobs:
        spec = job["spec"]["template"]["spec"]
        assert spec["restartPolicy"] == "Never"
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (container,) = spec["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        }
        for bound in ("requests", "limits"):
            assert container["resources"][bound].keys() == {"cpu", "memory"}
    tokens = [job["spec"]["template"]["spec"]["automountServiceAccountToken"] for job in jobs]
    assert tokens == [True, False]


def test_the_workers_belong_to_the_coordinator(run, jobs):
    _, workers = jobs
    (owner,) = workers["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("Job", run.name, "uid-1")
    assert workers["spec"]["completionMode"] == "Indexed"
    assert workers["spec"]["completions"] == run.scenario.workers.number


def test_texts_are_mounted_for_the_coordinator(run):
    given_texts = run.model_copy(update={"texts_file": "/texts/texts.txt"})
    spec = run_manifests.coordinator(given_texts, "loadtest")["spec"]["template"]["spec"]
    assert spec["volumes"] == [{"name": "texts", "configMap": {"name": run.name}}]
    assert run_manifests.texts(run, "loadtest", "u", "a\nb")["data"] == {"texts.txt": "a\nb"}


@given(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", fullmatch=True))
def test_names_leave_room_for_pods(scenario):
    name = run_manifests.run_name(scenario, "abc123")
    assert len(run_manifests.workers_name(name)) + len("-123-12345") <= 63
    assert len(name) <= manifests.MAX_NAME
    assert name.endswith("-abc123")
