"""Kubernetes objects of a load test. Pure: spec in, dict out."""

import hashlib
import math
from collections.abc import Sequence
from typing import Any, Final

from pydantic import BaseModel

from loadtest.protocol import SPEC_VARIABLE
from loadtest.spec import LoadSpec

MAX_NAME: Final = 57
"""A Job's pods have 6 characters more, and 63 are what a label may have."""
PART_OF: Final = {"app.kubernetes.io/part-of": "nlpserve", "app.kubernetes.io/component": "load"}
MANAGED_BY: Final = "app.kubernetes.io/managed-by"
ALONE: Final = "nlpserve-loadtest"
"""What manages the Jobs that are runs of their own."""
RUN_LABEL: Final = "nlpserve/run"
LOAD_NAMESPACE_LABEL: Final = "nlpserve/load-namespace"
"""Of a Job elsewhere: where the load for it comes from."""
CONTAINER: Final = "generator"
PROGRAM: Final = "loadtest.generator"
START_SECONDS: Final = 120
"""To schedule and start the pod."""
TTL_SECONDS: Final = 600
"""After its end a Job that nobody deleted goes by itself."""
USER: Final = 10001


def name(*words: str) -> str:
    """The name of an object; the last word, which tells runs apart, is never cut off."""
    whole = "-".join(words)
    if len(whole) <= MAX_NAME:
        return whole
    end = f"-{hashlib.sha256(whole.encode()).hexdigest()[:6]}-{words[-1]}"
    return whole[: MAX_NAME - len(end)].rstrip("-.") + end


def deadline(load: LoadSpec) -> int:
    """Seconds after which Kubernetes ends the Job: twice what it should take, and its start."""
    return math.ceil(2 * load.seconds + load.wait_seconds + load.timeout_seconds + START_SECONDS)


def job(
    job_name: str, namespace: str, image: str, load: LoadSpec, pull_secrets: Sequence[str] = ()
) -> dict[str, Any]:
    """A rollout's load."""
    return generator_job(
        job_name, namespace, image,
        program=PROGRAM, spec=load, model=load.model, seconds=deadline(load),
        pull_secrets=pull_secrets,
    )  # fmt: skip


def generator_job(
    job_name: str,
    namespace: str,
    image: str,
    *,
    program: str,
    spec: BaseModel,
    model: str,
    seconds: int,
    pull_secrets: Sequence[str] = (),
) -> dict[str, Any]:
    """One pod that makes the load, once: a load test that is tried again counts something else."""
    labels = {**PART_OF, MANAGED_BY: ALONE, RUN_LABEL: job_name, "nlpserve/model": model}
    pod = _pod(image, program, spec)
    if pull_secrets:
        pod["imagePullSecrets"] = [{"name": name} for name in pull_secrets]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": job_name, "namespace": namespace, "labels": labels},
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "activeDeadlineSeconds": seconds,
            "ttlSecondsAfterFinished": TTL_SECONDS,
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def _pod(image: str, program: str, spec: BaseModel) -> dict[str, Any]:
    variables = [{"name": SPEC_VARIABLE, "value": spec.model_dump_json()}]
    resources = {
        "requests": {"cpu": "200m", "memory": "64Mi"},
        "limits": {"cpu": "1", "memory": "256Mi"},
    }
    return restricted_pod(container(CONTAINER, image, program, variables, resources))


def restricted_pod(only: dict[str, Any]) -> dict[str, Any]:
    """A pod that the restricted Pod Security Standard admits, with no access to the cluster."""
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 5,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [only],
    }


def container(
    name: str, image: str, module: str, env: list[dict[str, Any]], resources: dict[str, Any]
) -> dict[str, Any]:
    """A container that runs a module of the load's image."""
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": [module],
        "env": env,
        "resources": resources,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
