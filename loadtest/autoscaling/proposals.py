"""From metrics to the number of pods that each of them wishes for.

After kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale, "Algorithm details". Values
are whole thousandths, as the controller has them, so that its rounding is the same.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from nlpserve.autoscaling import ClusterTiming


@dataclass(frozen=True)
class Tolerances:
    """How far from 1 the ratio of metric and target may be."""

    down: float
    up: float

    def hold(self, ratio: float) -> bool:
        """Whether nothing is to be done."""
        return 1.0 - self.down <= ratio <= 1.0 + self.up


@dataclass(frozen=True)
class Reading:
    """A pod's metric, as metrics-server gives it."""

    milli: int
    """Such as thousandths of a core."""
    second: float
    """End of the window that it was measured over."""
    window: float
    """Length of the window."""


@dataclass(frozen=True)
class PodState:
    """A pod as the controller sees it."""

    pending: bool
    """No container has started."""
    ready: bool
    started: float | None
    """When the kubelet took it."""
    ready_changed: float | None
    """When it last became ready, or ceased to be."""
    reading: Reading | None
    ending: bool = False
    """Being deleted, or failed."""
    count: int = 1
    """Pods that are all like this."""


class _Group(Enum):
    COUNTED = auto()
    NOT_READY = auto()
    MISSING = auto()
    IGNORED = auto()


def average(
    pods: Sequence[PodState],
    current: int,
    target: int,
    tolerances: Tolerances,
    *,
    now: float,
    timing: ClusterTiming,
) -> int | None:
    """Pods that bring the average CPU of a pod to the target. None: there is no metric to go by.

    A pod without a metric counts with the target on the way down and with nothing on the way up;
    one that is not ready with nothing on the way up, and not at all otherwise.
    """
    groups: dict[_Group, list[PodState]] = {group: [] for group in _Group}
    for pod in pods:
        groups[_group(pod, now, timing)].append(pod)
    counted, missing, not_ready = (
        sum(pod.count for pod in groups[group])
        for group in (_Group.COUNTED, _Group.MISSING, _Group.NOT_READY)
    )
    if not counted:
        return None
    used = sum(pod.reading.milli * pod.count for pod in groups[_Group.COUNTED] if pod.reading)
    ratio = used // counted / target
    if not missing and not (not_ready and ratio > 1):
        return current if tolerances.hold(ratio) else math.ceil(ratio * counted)
    if ratio < 1:
        used += target * missing
        counted += missing
    elif ratio > 1:
        counted += missing + not_ready
    weighed = used // counted / target
    turned = (ratio < 1 < weighed) or (weighed < 1 < ratio)
    if tolerances.hold(weighed) or turned:
        return current
    wish = math.ceil(weighed * counted)
    if (weighed < 1 and wish > current) or (weighed > 1 and wish < current):
        return current
    return wish


def total(milli: int, target: int, current: int, tolerances: Tolerances) -> int:
    """Pods that share an external metric's total so that each has the target."""
    if tolerances.hold(milli / (target * current)):
        return current
    return math.ceil(milli / target)


def largest(wishes: Sequence[int | None], current: int) -> int | None:
    """The largest wish of all metrics. None where it would go down and a metric is missing."""
    known = [wish for wish in wishes if wish is not None]
    if not known or (len(known) < len(wishes) and max(known) < current):
        return None
    return max(known)


def _group(pod: PodState, now: float, timing: ClusterTiming) -> _Group:
    if pod.ending:
        return _Group.IGNORED
    if pod.pending:
        return _Group.NOT_READY
    if pod.reading is None:
        return _Group.MISSING
    if pod.started is None or pod.ready_changed is None:
        return _Group.NOT_READY
    if pod.started + timing.cpu_initialization_seconds > now:
        # What it used to start says nothing of what it uses at work.
        fresh = pod.reading.second < pod.ready_changed + pod.reading.window
        return _Group.NOT_READY if fresh or not pod.ready else _Group.COUNTED
    never = pod.started + timing.initial_readiness_seconds > pod.ready_changed
    return _Group.NOT_READY if never and not pod.ready else _Group.COUNTED
