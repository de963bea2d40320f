"""The pinned pod, and what the release says of it. Pure: a Deployment in, dicts and facts out."""

import copy
import datetime
from typing import Any, Final

from loadtest.calibration.derived import Release
from loadtest.manifests import TTL_SECONDS
from loadtest.objects import SERVER

LABELS: Final = {
    "app.kubernetes.io/part-of": "nlpserve",
    "app.kubernetes.io/component": "calibration",
}
"""None that the chart's Service, PodDisruptionBudget, autoscaler or NetworkPolicy look for."""
GRACE_SECONDS: Final = 5
PREFIX: Final = "NLPSERVE_"
DEFAULTS: Final = {
    "QUEUE_LIMIT": 2048, "DEADLINE_SECONDS": 5, "MAX_BATCH_SIZE": 64, "MAX_TEXTS": 256
}  # fmt: skip
"""The service's, for what a Deployment does not set."""


class NotCalibratable(ValueError):
    """The release cannot be copied."""


def pinned(
    deployment: dict[str, Any], name: str, *, model: str, run: str, seconds: int
) -> dict[str, Any]:
    """A Job with one pod of the Deployment's template, beside production and unseen by it.

    A Job, since Kubernetes removes it by itself when nobody does. Not scraped: its texts in flight
    would count for the autoscaler.
    """
    spec = copy.deepcopy(deployment["spec"]["template"]["spec"])
    spec.pop("topologySpreadConstraints", None)  # they weigh it against pods that it is none of
    spec |= {"restartPolicy": "Never", "terminationGracePeriodSeconds": GRACE_SECONDS}
    for container in spec["containers"]:
        container.pop("lifecycle", None)
    labels = {**LABELS, "nlpserve/model": model, "nlpserve/calibration": run}
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
            "completions": 1,
            "parallelism": 1,
            "activeDeadlineSeconds": seconds,
            "ttlSecondsAfterFinished": TTL_SECONDS,
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def release(deployment: dict[str, Any]) -> Release:
    """Resources and limits of the server. Raises NotCalibratable."""
    server = _server(deployment)
    resources = server.get("resources", {})
    limits, requests = resources.get("limits", {}), resources.get("requests", {})
    found = {
        kind: limits.get(kind) or requests.get(kind, "") if kind == "cpu" else
        requests.get(kind) or limits.get(kind, "")
        for kind in ("cpu", "memory")
    }  # fmt: skip
    if not all(found.values()):
        raise NotCalibratable("the release sets no CPU or no memory: there is nothing to pin")
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
        cpu=found["cpu"],
        limits={kind: str(quantity) for kind, quantity in limits.items()},
        memory=found["memory"],
        queue_limit=int(set_here["QUEUE_LIMIT"]),
        deadline_seconds=set_here["DEADLINE_SECONDS"],
        max_batch_size=int(set_here["MAX_BATCH_SIZE"]),
        max_texts=int(set_here["MAX_TEXTS"]),
    )


def port(deployment: dict[str, Any]) -> int:
    """Of the server."""
    return int(_server(deployment)["ports"][0]["containerPort"])


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
