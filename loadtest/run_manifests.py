"""Kubernetes objects of `python -m loadtest run`. Pure: spec in, dict out.

The coordinator's Job owns all others, so that they go with it, and it goes by itself some minutes
after its end.
"""

import math
from typing import Any, Final

from loadtest.manifests import (
    MANAGED_BY,
    MAX_NAME,
    PART_OF,
    RUN_LABEL,
    TTL_SECONDS,
    container,
    restricted_pod,
)
from loadtest.messages import Run
from loadtest.protocol import COORDINATOR_VARIABLE, METRICS_PORT, METRICS_VARIABLE, RUN_VARIABLE

ACCOUNT: Final = "nlpserve-loadtest"
"""The coordinator's service account; k8s/loadtest has it and what it may do."""
RUN_PART: Final = {**PART_OF, MANAGED_BY: "nlpserve-loadtest-run"}
TEXTS_FOLDER: Final = "/texts"
TEXTS_FILE: Final = "texts.txt"
SPARE_SECONDS: Final = 240
"""To start, to ask the target, to read counters and Prometheus."""


def workers_name(run: str) -> str:
    """The name of the workers' Job; run names leave room for it."""
    return f"{run}-w"


def run_name(scenario: str, token: str) -> str:
    """Of the coordinator's Job; the token tells runs apart."""
    room = MAX_NAME - len("load---w") - len(token) - 4
    return f"load-{scenario[:room].rstrip('-')}-{token}"


def deadline(run: Run) -> int:
    """Seconds after which Kubernetes ends the Jobs, whatever they do."""
    scenario = run.scenario
    start = 2 * scenario.workers.start_seconds
    return math.ceil(scenario.load.end + 2 * scenario.timeout_seconds + start + SPARE_SECONDS)


def coordinator(run: Run, namespace: str) -> dict[str, Any]:
    """The Job that conducts the run."""
    only = container(
        "coordinator",
        run.image,
        "loadtest.coordinator",
        [
            {"name": RUN_VARIABLE, "value": run.model_dump_json()},
            {
                "name": "POD_ADDRESS",
                "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}},
            },
        ],
        {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}},
    )
    pod = restricted_pod(only) | {
        "serviceAccountName": ACCOUNT,
        "automountServiceAccountToken": True,
    }
    if run.texts_file is not None:
        pod["volumes"] = [{"name": "texts", "configMap": {"name": run.name}}]
        only["volumeMounts"] = [{"name": "texts", "mountPath": TEXTS_FOLDER, "readOnly": True}]
    return _job(run, run.name, namespace, pod)


def workers(run: Run, namespace: str, owner_uid: str, address: str) -> dict[str, Any]:
    """The Indexed Job of the workers, the coordinator's own."""
    wanted = run.scenario.workers
    only = container(
        "worker",
        run.image,
        "loadtest.generator.worker",
        [
            {"name": COORDINATOR_VARIABLE, "value": address},
            {"name": METRICS_VARIABLE, "value": str(METRICS_PORT)},
        ],
        {
            "requests": {"cpu": wanted.cpu_request, "memory": wanted.memory},
            "limits": {"cpu": wanted.cpu, "memory": wanted.memory},
        },
    )
    job = _job(run, workers_name(run.name), namespace, restricted_pod(only))
    job["spec"]["template"]["metadata"]["annotations"] = {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(METRICS_PORT),
    }
    job["metadata"]["ownerReferences"] = [owner(run.name, owner_uid)]
    job["spec"] |= {
        "completionMode": "Indexed",
        "completions": wanted.number,
        "parallelism": wanted.number,
    }
    return job


def texts(run: Run, namespace: str, owner_uid: str | None, content: str) -> dict[str, Any]:
    """The ConfigMap with the user's own texts."""
    metadata: dict[str, Any] = {
        "name": run.name, "namespace": namespace, "labels": {**RUN_PART, RUN_LABEL: run.name},
    }  # fmt: skip
    if owner_uid is not None:
        metadata["ownerReferences"] = [owner(run.name, owner_uid)]
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "data": {TEXTS_FILE: content},
    }


def owner(name: str, uid: str) -> dict[str, Any]:
    """The coordinator's Job as owner."""
    return {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": uid, "controller": True}


def _job(run: Run, name: str, namespace: str, pod: dict[str, Any]) -> dict[str, Any]:
    labels = {**RUN_PART, RUN_LABEL: run.name, "nlpserve/model": run.scenario.target.model}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "activeDeadlineSeconds": deadline(run),
            "ttlSecondsAfterFinished": TTL_SECONDS,
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
