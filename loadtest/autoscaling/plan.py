"""Pods, nodes and load workers for a rate, with what is assumed."""

import math
from typing import Final

from pydantic import Field

from loadtest.autoscaling.forecast import Forecast, forecast
from loadtest.autoscaling.simulation import World
from nlpserve.autoscaling import Autoscaler, Calibration, ClusterTiming
from nlpserve.load_results import Facts

EXTRAPOLATION: Final = 20
"""A plan goes no further than so many times the largest measured number of pods."""
HEADROOM: Final = 0.3
"""Of each pod's capacity is left free, so that the others can bear it when one is lost."""
NODE_RESERVE: Final = 0.1
"""Of each node goes to the system."""
HORIZON_SECONDS: Final = 1_200.0
"""Within so long the autoscaler has to have got there."""


class OutOfReach(ValueError):
    """The rate lies beyond what was measured, or a pod beyond what fits a node."""


class Node(Facts):
    """A node's size."""

    cpu: float = Field(gt=0)
    """Cores."""
    memory_gib: float = Field(gt=0)


class Plan(Facts):
    """For one rate."""

    rate: float
    """Requests a second."""
    pods: int
    pod_rate: float
    """Requests a second that each of them gets."""
    cpu_requests: float
    """Cores, of all pods."""
    cpu_used: float
    """Cores that they use at this rate."""
    memory_gib: float
    pods_each_node: int
    nodes: int
    load_workers: int | None
    """To test it; None: the calibration does not say what a worker makes."""
    autoscaler: Forecast | None
    """From the fewest pods, when all of the rate begins at once; None: the mode is none."""
    extrapolated: bool
    assumptions: list[str]


def plan(
    rate: float,
    calibration: Calibration,
    autoscaler: Autoscaler,
    node: Node,
    *,
    timing: ClusterTiming | None = None,
    headroom: float = HEADROOM,
    extrapolate: bool = False,
) -> Plan:
    """Raises OutOfReach."""
    each = min(calibration.capacity * (1 - headroom), target_rate(calibration, autoscaler))
    pods = max(autoscaler.min_replicas, math.ceil(rate / each - 1e-9))
    reach = EXTRAPOLATION * calibration.measured_pods
    if pods > reach and not extrapolate:
        raise OutOfReach(
            f"{pods} pods are more than {EXTRAPOLATION} times the {calibration.measured_pods} that"
            " were measured together: measure more pods together, or take a straight line for"
            " granted with --extrapolate"
        )
    used = calibration.at(rate / pods).cpu
    cpu = max(calibration.cpu_request, used)
    on_node = pods_on(node, cpu, calibration.memory_request_mib / 1024)
    found = None
    if autoscaler.mode != "none":
        most = max(autoscaler.max_replicas, 2 * pods)
        roomy = autoscaler.model_copy(update={"max_replicas": most})
        world = World(roomy, calibration, timing or ClusterTiming())
        found = forecast(world, lambda _: rate, HORIZON_SECONDS)
    worker = calibration.worker_rate
    return Plan(
        rate=rate,
        pods=pods,
        pod_rate=rate / pods,
        cpu_requests=pods * calibration.cpu_request,
        cpu_used=pods * used,
        memory_gib=pods * calibration.memory_request_mib / 1024,
        pods_each_node=on_node,
        nodes=math.ceil(pods / on_node),
        load_workers=None if worker is None else math.ceil(rate / worker),
        autoscaler=found,
        extrapolated=pods > reach,
        assumptions=_assumptions(calibration, autoscaler, headroom, pods),
    )


def target_rate(calibration: Calibration, autoscaler: Autoscaler) -> float:
    """Requests a second of a pod that is exactly at the autoscaler's target."""
    if autoscaler.mode == "none":
        return calibration.saturation

    def above(rate: float) -> bool:
        at = calibration.at(rate)
        many = autoscaler.mode == "keda" and autoscaler.keda is not None
        return at.cpu > autoscaler.cpu_target or (
            many and autoscaler.keda is not None and at.in_flight > autoscaler.keda.in_flight
        )

    low, high = 0.0, calibration.saturation
    if not above(high):
        return high
    if above(low):
        raise OutOfReach("a pod without requests is above the autoscaler's target")
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if above(middle) else (middle, high)
    return max(low, calibration.saturation * 1e-3)


def pods_on(node: Node, cpu: float, memory_gib: float) -> int:
    """How many pods fit a node. Raises OutOfReach when none does."""
    free = 1 - NODE_RESERVE
    count = math.floor(min(node.cpu * free / cpu, node.memory_gib * free / memory_gib) + 1e-9)
    if count < 1:
        raise OutOfReach(
            f"no pod fits a node: it needs {cpu:.2f} cores and {memory_gib:.2f} GiB, and"
            f" {free:.0%} of a node are {node.cpu * free:.2f} and {node.memory_gib * free:.2f}"
        )
    return count


def _assumptions(
    calibration: Calibration, autoscaler: Autoscaler, headroom: float, pods: int
) -> list[str]:
    found = [
        f"Each pod holds {calibration.capacity:.1f} requests/s at"
        f" {calibration.objective_share:.1%} within {calibration.objective_seconds:g} s, measured"
        f" with at most {calibration.measured_pods} at once; pods add up in a straight line.",
        f"{headroom:.0%} of that is left free, and no pod is above the autoscaler's target.",
        "Requests are of one text each, like those of the calibration, spread evenly over the pods"
        " and, as there, over time: of as many by chance fewer are answered in time.",
        "The CPU that a pod uses is really there: nodes are filled by the request or the use,"
        f" whichever is more, and {NODE_RESERVE:.0%} of each is the system's.",
    ]
    if autoscaler.mode != "none":
        found.append(
            "After no requests at all the whole rate begins at once on"
            f" {autoscaler.min_replicas} of them; nodes and image are there, and a pod is ready"
            f" {calibration.ready_seconds:g} s after its creation, however many start together."
        )
        if pods > autoscaler.max_replicas:
            found.append(
                f"maxReplicas ({autoscaler.max_replicas}) would stop it: it is taken as {2 * pods}."
            )
    if pods > EXTRAPOLATION * calibration.measured_pods:
        found.append(
            f"EXTRAPOLATED: {pods} pods are more than {EXTRAPOLATION} times what was measured."
            " Network, DNS, Prometheus and the API server have limits that nobody asked here."
        )
    return found
