import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest import manifests
from loadtest.spec import LoadSpec

LOAD = LoadSpec(url="http://nlpserve-intent.models.svc:80", model="intent", requests=900, rate=10)


@pytest.fixture
def job():
    return manifests.job("load-intent-1", "loadtest", "load:1", LOAD)


def test_a_load_is_never_tried_again_and_always_ends(job):
    assert job["spec"]["backoffLimit"] == 0
    assert job["spec"]["activeDeadlineSeconds"] > LOAD.seconds + LOAD.wait_seconds
    assert job["spec"]["ttlSecondsAfterFinished"] <= 3600
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"


def test_its_pod_is_restricted_and_has_no_token(job):
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    for bound in ("requests", "limits"):
        assert container["resources"][bound].keys() == {"cpu", "memory"}


def test_the_generator_gets_the_spec_whole(job):
    (container,) = job["spec"]["template"]["spec"]["containers"]
    (variable,) = container["env"]
    assert LoadSpec.model_validate_json(variable["value"]) == LOAD
    assert container["args"] == ["loadtest.generator"]


def test_it_is_plain_json(job):
    assert json.loads(json.dumps(job)) == job


words = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=60)


@given(st.lists(words, max_size=4), st.text("0123456789abcdef", min_size=6, max_size=6))
def test_names_fit_and_tell_runs_apart(parts, token):
    name = manifests.name("load", *parts, token)
    assert len(name) <= manifests.MAX_NAME
    assert name.endswith(token)
    assert name.startswith("load-")


def test_cut_names_differ_when_the_whole_ones_do():
    long = "m" * 60
    assert manifests.name("load", long + "a", "123456") != manifests.name(
        "load", long + "b", "123456"
    )


def test_it_is_pulled_with_the_secrets_that_are_named(job):
    assert "imagePullSecrets" not in job["spec"]["template"]["spec"]
    made = manifests.job("load-intent-1", "loadtest", "load:1", LOAD, ("one", "two"))
    secrets = made["spec"]["template"]["spec"]["imagePullSecrets"]
    assert secrets == [{"name": "one"}, {"name": "two"}]
