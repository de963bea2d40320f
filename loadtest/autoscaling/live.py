"""What a cluster's objects say of an autoscaler and of the pods that it moves."""

import datetime
import re
from collections.abc import Sequence
from typing import Any

from loadtest.autoscaling.chart import quantity
from nlpserve.autoscale_results import PodCount, Signal
from nlpserve.autoscaling import Autoscaler, Behavior, Fallback, Keda

CPU_METRIC = "cpu"


def autoscaler(hpa: dict[str, Any], scaled: dict[str, Any] | None, request: float) -> Autoscaler:
    """As the HorizontalPodAutoscaler has it, and KEDA's ScaledObject where there is one.

    `request` is a pod's CPU request in cores. Raises ValueError when CPU is not among its metrics.
    """
    spec = hpa["spec"]
    targets = {entry["type"]: entry for entry in spec["metrics"]}
    cpu = targets.get("Resource", {}).get("resource", {})
    if cpu.get("name") != CPU_METRIC:
        raise ValueError("the autoscaler does not look at CPU")
    if "averageValue" in cpu["target"]:
        target = quantity(cpu["target"]["averageValue"])
    else:
        target = request * cpu["target"]["averageUtilization"] / 100
    external = targets.get("External", {}).get("external")
    keda = None
    if external is not None and scaled is not None:
        keda = _keda(quantity(external["target"]["averageValue"]), scaled["spec"])
    return Autoscaler(
        mode="cpu" if keda is None else "keda",
        min_replicas=spec.get("minReplicas", 1),
        max_replicas=spec["maxReplicas"],
        cpu_target=target,
        behavior=Behavior.model_validate(spec.get("behavior", {})),
        keda=keda,
    )


def _keda(target: float, spec: dict[str, Any]) -> Keda:
    queries = [entry["metadata"].get("query", "") for entry in spec["triggers"]]
    windows = [found for query in queries if (found := re.search(r"\[(\d+)([sm])\]", query))]
    if not windows:
        raise ValueError("no trigger of the ScaledObject averages over a window")
    window = windows[0]
    seconds = float(window[1]) * (60 if window[2] == "m" else 1)
    fallback = spec.get("fallback")
    return Keda(
        in_flight=target,
        window_seconds=seconds,
        polling_interval=spec.get("pollingInterval", 30),
        fallback=Fallback.model_validate(fallback) if fallback else None,
    )


def signal(hpa: dict[str, Any], second: float) -> Signal:
    """What it says it saw last."""
    found: dict[str, float] = {}
    for entry in hpa.get("status", {}).get("currentMetrics") or ():
        kind = {"Resource": "cpu", "External": "in_flight"}.get(entry.get("type", ""))
        value = entry.get(entry.get("type", "").lower(), {}).get("current", {}).get("averageValue")
        if kind is not None and value is not None:
            found[kind] = quantity(value)
    return Signal(second=second, cpu=found.get("cpu"), in_flight=found.get("in_flight"))


def moment(text: str) -> float:
    """A time of the API, in seconds since 1970."""
    return datetime.datetime.fromisoformat(text).timestamp()


def ready(pod: dict[str, Any]) -> bool:
    """Whether requests come to it."""
    conditions = pod.get("status", {}).get("conditions", ())
    return "deletionTimestamp" not in pod["metadata"] and any(
        entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions
    )


def started(pod: dict[str, Any]) -> float | None:
    """When its container ran, in seconds since 1970."""
    for entry in pod.get("status", {}).get("containerStatuses", ()):
        if "running" in entry["state"]:
            return moment(entry["state"]["running"]["startedAt"])
    return None


def timeline(seen: Sequence[tuple[float, int, int]], began: float) -> list[PodCount]:
    """(time, wanted, ready) as looked at, as changes from second 0 on."""
    found: list[PodCount] = []
    for at, wanted, there in seen:
        second = round(max(0.0, at - began), 1)
        point = PodCount(second=second, wanted=wanted, ready=there)
        if found and second == found[-1].second == 0:
            found[-1] = point  # before the load: the last state counts
        elif not found or (wanted, there) != (found[-1].wanted, found[-1].ready):
            found.append(point if found else point.model_copy(update={"second": 0.0}))
    return found
