"""The pinned pods, and what the release says of it. Pure: a Deployment in, dicts and facts out."""

import copy
import datetime
import math
from typing import Any, Final

from loadtest.autoscaling.chart import mebibytes, quantity
from loadtest.calibration.derived import DEFAULTS, Release
from loadtest.manifests import ALONE, LOAD_NAMESPACE_LABEL, MANAGED_BY, RUN_LABEL, TTL_SECONDS
from loadtest.objects import SERVER

LABELS: Final = {
    "app.kubernetes.io/part-of": "nlpserve",
    "app.kubernetes.io/component": "calibration",
    MANAGED_BY: ALONE,
}
"""None that the chart's Service, PodDisruptionBudget, autoscaler or NetworkPolicy look for."""
GRACE_SECONDS: Final = 5
PREFIX: Final = "NLPSERVE_"
BATCH: Final = f"{PREFIX}MAX_BATCH_SIZE"
THREADS: Final = f"{PREFIX}THREADS"


class NotCalibratable(ValueError):
    """The release cannot be copied."""


def pinned(
    deployment: dict[str, Any],
    name: str,
    *,
    model: str,
    load_namespace: str,
    seconds: int,
    pods: int = 1,
) -> dict[str, Any]:
    """A Job with pods of the Deployment's template, beside production and unseen by it.

    A Job, since Kubernetes removes it by itself when nobody does. Not scraped: its texts in flight
    would count for the autoscaler.
    """
    spec = copy.deepcopy(deployment["spec"]["template"]["spec"])
    spec.pop("topologySpreadConstraints", None)  # they weigh it against pods that it is none of
    spec |= {"restartPolicy": "Never", "terminationGracePeriodSeconds": GRACE_SECONDS}
    for container in spec["containers"]:
        container.pop("lifecycle", None)
    labels = {
        **LABELS,
        RUN_LABEL: name,
        LOAD_NAMESPACE_LABEL: load_namespace,
        "nlpserve/model": model,
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": deployment["metadata"]["namespace"],
            "labels": labels,
        },
        "spec": {
            "backoffLimit": 0,
            "completions": pods,
            "parallelism": pods,
            "activeDeadlineSeconds": seconds,
            "ttlSecondsAfterFinished": TTL_SECONDS,
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def with_cpu(deployment: dict[str, Any], cpu: str) -> dict[str, Any]:
    """The Deployment with another CPU limit, and no larger request. Raises NotCalibratable."""
    changed = copy.deepcopy(deployment)
    server = _server(changed)
    resources = server.setdefault("resources", {})
    limits, requests = (resources.setdefault(kind, {}) for kind in ("limits", "requests"))
    try:
        cores = quantity(cpu)
        smaller = "cpu" in requests and quantity(requests["cpu"]) <= cores
    except ValueError as error:
        raise NotCalibratable(f"the CPU limit: {error}") from None
    # Without a number of its own a pod has a thread for each core of its limit, rounded up.
    own = {entry["name"]: entry.get("value") for entry in server.get("env", ())}
    if int(own.get(THREADS) or math.ceil(cores)) != max(1, int(cores)):
        raise NotCalibratable(
            f"{cpu} CPU needs another number of threads, which the chart sets: give the release"
            " that limit (resources.limits.cpu)"
        )
    limits["cpu"] = cpu
    if not smaller:
        requests["cpu"] = cpu
    return changed


def release(deployment: dict[str, Any]) -> Release:
    """Resources and limits of the server. Raises NotCalibratable."""
    server = _server(deployment)
    resources = server.get("resources", {})
    limits, requests = resources.get("limits", {}), resources.get("requests", {})
    cpu, memory = limits.get("cpu"), requests.get("memory") or limits.get("memory")
    if not cpu or not memory:
        raise NotCalibratable(
            "the release sets no CPU limit or no memory: what a pod holds then depends on what its"
            " node has to spare (resources.limits.cpu, resources.requests.memory)"
        )
    try:
        quantity(cpu)
        mebibytes(memory)
    except ValueError as error:
        raise NotCalibratable(f"the release's resources: {error}") from None
    environment = {entry["name"]: entry for entry in server.get("env", ())}
    if f"{PREFIX}API_KEYS_FILE" in environment:
        raise NotCalibratable(
            "the release asks for API keys, which the load does not have: calibrate a release"
            " without apiKeys"
        )
    set_here = {
        name: float(environment.get(PREFIX + name, {}).get("value", default))
        for name, default in DEFAULTS.items()
    }
    return Release(
        cpu=cpu,
        limits={kind: str(given) for kind, given in limits.items()},
        memory=memory,
        queue_limit=int(set_here["QUEUE_LIMIT"]),
        deadline_seconds=set_here["DEADLINE_SECONDS"],
        max_batch_size=int(set_here["MAX_BATCH_SIZE"]),
        max_texts=int(set_here["MAX_TEXTS"]),
    )


def port(deployment: dict[str, Any]) -> int:
    """Of the server."""
    return int(_server(deployment)["ports"][0]["containerPort"])


def with_batches(deployment: dict[str, Any], size: int) -> dict[str, Any]:
    """The Deployment with batches of another size."""
    changed = copy.deepcopy(deployment)
    server = _server(changed)
    rest = [entry for entry in server.get("env", ()) if entry["name"] != BATCH]
    server["env"] = [*rest, {"name": BATCH, "value": str(size)}]
    return changed


def _server(deployment: dict[str, Any]) -> dict[str, Any]:
    containers = deployment["spec"]["template"]["spec"]["containers"]
    return next((entry for entry in containers if entry["name"] == SERVER), containers[0])


def times(pod: dict[str, Any]) -> tuple[float, float] | None:
    """Seconds from a pod's creation to its container's start and to Ready; None: not ready yet.

    Kubernetes notes whole seconds.
    """
    status = pod.get("status", {})
    ready = next(
        (
            entry["lastTransitionTime"]
            for entry in status.get("conditions", ())
            if entry["type"] == "Ready" and entry["status"] == "True"
        ),
        None,
    )
    running = [
        entry["state"]["running"]["startedAt"]
        for entry in status.get("containerStatuses", ())
        if "running" in entry["state"]
    ]
    if ready is None or not running:
        return None
    created = _second(pod["metadata"]["creationTimestamp"])
    return max(0.0, _second(running[0]) - created), max(0.5, _second(ready) - created)


def _second(text: str) -> float:
    return datetime.datetime.fromisoformat(text).timestamp()
