"""The few facts that load tests need of Kubernetes' objects. Pure: the API's JSON in, facts out."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Final

from nlpserve.load_results import NodeFacts

SERVER: Final = "server"
"""The container that answers; the chart names it."""


@dataclass(frozen=True)
class Pod:
    """A pod."""

    name: str
    namespace: str
    uid: str
    ready: bool
    ending: bool
    phase: str
    message: str
    """What its container said at its end, or why it does not start."""
    exit_code: int | None
    address: str = ""
    """Empty while it has none."""
    port: int = 0
    """Of its first container."""
    restarts: int = 0
    """Of all its containers."""
    image_digest: str = ""
    """Of the container that answers, as the node has it."""


@dataclass(frozen=True)
class Target:
    """A Deployment that serves a model."""

    name: str
    namespace: str
    release: str
    selector: str
    replicas: int
    whole: bool
    """Every pod is of the newest template and available, and there are no others."""
    image: str
    pre_stop_seconds: float | None
    grace_seconds: int
    environment: dict[str, str]
    managers: list[dict[str, Any]]
    template_hash: str = ""
    """SHA-256 of the pod template as JSON."""
    resources: dict[str, dict[str, str]] = field(default_factory=dict)
    """Requests and limits of the container that answers."""


@dataclass(frozen=True)
class Autoscaler:
    """A HorizontalPodAutoscaler."""

    name: str
    namespace: str
    target: str
    owner: str | None
    """What writes its bounds, such as KEDA's ScaledObject."""
    fewest: int
    most: int
    managers: list[dict[str, Any]]


@dataclass(frozen=True)
class JobState:
    """A load's Job. `failure` says why, once it failed."""

    pod: Pod | None
    succeeded: bool
    failure: str | None


def read_pod(item: dict[str, Any]) -> Pod:
    """A pod of the API."""
    meta, status = item["metadata"], item["status"]
    conditions = {entry["type"]: entry["status"] for entry in status.get("conditions", ())}
    message, code = "", None
    for container in status.get("containerStatuses", ()):
        state = container["state"]
        if "terminated" in state:
            message = state["terminated"].get("message") or state["terminated"].get("reason", "")
            code = state["terminated"]["exitCode"]
        elif "waiting" in state and not message:
            waiting = state["waiting"]
            message = f"{waiting.get('reason', '')}: {waiting.get('message', '')}"
    containers = item.get("spec", {}).get("containers", [])
    ports = containers[0].get("ports", []) if containers else []
    states = status.get("containerStatuses", [])
    server = next((state for state in states if state.get("name") == SERVER), None)
    return Pod(
        name=meta["name"],
        namespace=meta["namespace"],
        uid=meta["uid"],
        ready=conditions.get("Ready") == "True",
        ending="deletionTimestamp" in meta,
        phase=status.get("phase", "Pending"),
        message=message or status.get("message", ""),
        exit_code=code,
        address=status.get("podIP", ""),
        port=ports[0]["containerPort"] if ports else 0,
        restarts=sum(state.get("restartCount", 0) for state in states),
        image_digest=server.get("imageID", "") if server else "",
    )


def read_target(item: dict[str, Any]) -> Target:
    """A Deployment of the API."""
    meta, spec, status = item["metadata"], item["spec"], item.get("status", {})
    pod = spec["template"]["spec"]
    containers = pod["containers"]
    server = next((entry for entry in containers if entry["name"] == SERVER), containers[0])
    hook = server.get("lifecycle", {}).get("preStop", {})
    replicas = spec.get("replicas", 1)
    counts = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")]
    return Target(
        name=meta["name"],
        namespace=meta["namespace"],
        release=meta.get("labels", {}).get("app.kubernetes.io/instance", ""),
        selector=",".join(f"{k}={v}" for k, v in sorted(spec["selector"]["matchLabels"].items())),
        replicas=replicas,
        whole=(
            status.get("observedGeneration", 0) >= meta["generation"] and counts == [replicas] * 3
        ),
        image=server["image"],
        pre_stop_seconds=hook.get("sleep", {}).get("seconds"),
        grace_seconds=pod.get("terminationGracePeriodSeconds", 30),
        environment={
            entry["name"]: entry["value"] for entry in server.get("env", ()) if "value" in entry
        },
        managers=meta.get("managedFields", []),
        template_hash=hashlib.sha256(
            json.dumps(spec["template"], sort_keys=True).encode()
        ).hexdigest(),
        resources={
            bound: {name: str(amount) for name, amount in amounts.items()}
            for bound, amounts in server.get("resources", {}).items()
            if bound in {"requests", "limits"}
        },
    )


def read_autoscaler(item: dict[str, Any]) -> Autoscaler:
    """A HorizontalPodAutoscaler of the API."""
    meta, spec = item["metadata"], item["spec"]
    owners = [f"{entry['kind']} {entry['name']}" for entry in meta.get("ownerReferences", ())]
    return Autoscaler(
        name=meta["name"],
        namespace=meta["namespace"],
        target=spec["scaleTargetRef"]["name"],
        owner=owners[0] if owners else None,
        fewest=spec.get("minReplicas", 1),
        most=spec["maxReplicas"],
        managers=meta.get("managedFields", []),
    )


def read_job(item: dict[str, Any], pods: list[Pod]) -> JobState:
    """A Job of the API with its pods; one pod, since it is never tried again."""
    pod = pods[0] if pods else None
    failure = None
    for condition in item.get("status", {}).get("conditions", ()):
        if condition["type"] == "Failed" and condition["status"] == "True":
            said = pod.message if pod is not None and pod.exit_code is not None else ""
            failure = said or f"{condition.get('reason')}: {condition.get('message')}"
    return JobState(pod, bool(item.get("status", {}).get("succeeded")), failure)


def read_node(item: dict[str, Any]) -> NodeFacts:
    """A node of the API."""
    info, capacity = item["status"]["nodeInfo"], item["status"]["capacity"]
    return NodeFacts(
        kubelet=info["kubeletVersion"],
        system=info["osImage"],
        kernel=info["kernelVersion"],
        runtime=info["containerRuntimeVersion"],
        cpus=capacity["cpu"],
        memory=capacity["memory"],
    )
