"""What is done to the target while the load runs: how it begins, and when it is over."""

import datetime
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Final

from loadtest.cluster import Cluster
from loadtest.objects import Autoscaler, Pod, Target
from nlpserve.load_results import Disruption

PERIOD_SECONDS: Final = 1.0


class NotSettled(Exception):
    """The target did not come to the state that a run begins from."""


def wait_until(what: str, seconds: float, there: Callable[[], bool]) -> None:
    """Raises NotSettled when it does not come in time."""
    deadline = time.monotonic() + seconds
    while not there():
        if time.monotonic() > deadline:
            raise NotSettled(f"{what} did not come within {seconds:.0f} s")
        time.sleep(PERIOD_SECONDS)


class Disturbance(ABC):
    """One disruption of one target."""

    kind: ClassVar[Disruption]

    def __init__(self, cluster: Cluster, target: Target, settle_seconds: float) -> None:
        """`target` is as it was before anything was done."""
        self._cluster = cluster
        self._target = target
        self._seconds = settle_seconds

    def pods(self) -> list[Pod]:
        """All of the target's, those that are ending as well."""
        return self._cluster.pods(self._target.namespace, self._target.selector)

    def whole(self) -> bool:
        """All pods ready and of the newest template, none ending."""
        pods = self.pods()
        now = self._cluster.target(self._target)
        return now.whole and len(pods) == now.replicas and all(pod.ready for pod in pods)

    def prepare(self) -> None:
        """Bring the target to the state that the load begins on. Raises NotSettled."""
        scaler = self._cluster.autoscaler(self._target)
        self._until_pods(1 if scaler is None else scaler.fewest)

    def _until_pods(self, fewest: int) -> None:
        """A new Deployment has one pod until its autoscaler looks."""
        wait_until(
            f"{self._target.name} whole with {fewest} pods",
            self._seconds,
            lambda: self.whole() and len(self.pods()) >= fewest,
        )

    @abstractmethod
    def strike(self) -> None:
        """Begin."""

    @abstractmethod
    def over(self) -> bool:
        """Whether the pods that had to go are gone and the target is whole again."""

    @property
    def before(self) -> str:
        """What `restore` goes back to."""
        return f"{self._target.name} had {self._target.replicas} replicas"

    def restore(self) -> None:  # noqa: B027  most undo themselves
        """Undo what does not undo itself. Safe to call twice, and before `strike`."""


class Restart(Disturbance):
    """A rolling update to the same template, so that every pod is replaced."""

    kind = Disruption.RESTART

    def strike(self) -> None:
        """As `kubectl rollout restart`."""
        self._doomed = {pod.uid for pod in self.pods()}
        stamp = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self._cluster.restart(self._target, stamp)

    def over(self) -> bool:
        """Every pod that was there is gone."""
        return self.whole() and not self._doomed & {pod.uid for pod in self.pods()}


class Delete(Disturbance):
    """One pod is deleted, with its own grace period unless a test says otherwise."""

    kind = Disruption.DELETE
    grace_seconds: int | None = None

    def strike(self) -> None:
        """Of the pods that answer, the first."""
        ready = sorted(pod.name for pod in self.pods() if pod.ready and not pod.ending)
        if not ready:
            raise NotSettled(f"{self._target.name} has no ready pod to delete")
        self._doomed = ready[0]
        self._cluster.delete_pod(
            self._target.namespace, self._doomed, grace_seconds=self.grace_seconds
        )

    def over(self) -> bool:
        """It is gone and has a successor."""
        return self.whole() and self._doomed not in {pod.name for pod in self.pods()}


class ScaleDown(Disturbance):
    """From several pods to one."""

    kind = Disruption.SCALE_DOWN
    scale_from = 3
    _scaler: Autoscaler | None = None
    _changed = False

    def prepare(self) -> None:
        """Where an autoscaler owns the replicas, its bounds are narrowed instead."""
        self._scaler = self._cluster.autoscaler(self._target)
        if self._scaler is not None and self._scaler.owner is not None:
            raise NotSettled(
                f"{self._scaler.owner} writes the bounds of the target's autoscaler back:"
                " a scale-down needs autoscaling.mode none or cpu"
            )
        self._scale(self.scale_from)
        self._until_pods(self.scale_from)

    def strike(self) -> None:
        """All pods but one have to go."""
        self._scale(1)

    def over(self) -> bool:
        """One pod is left."""
        return self.whole() and len(self.pods()) == 1

    @property
    def before(self) -> str:
        """Replicas, or the bounds of the autoscaler that sets them."""
        if self._scaler is None:
            return super().before
        scaler = self._scaler
        return f"autoscaler {scaler.name} had {scaler.fewest} to {scaler.most} replicas"

    def restore(self) -> None:
        """Replicas and bounds as they were, and in the hands that they were in."""
        if not self._changed:
            return
        if self._scaler is None:
            self._cluster.scale(self._target, self._target.replicas)
            self._cluster.give_back(self._target)
        else:
            self._cluster.bound(self._scaler, self._scaler.fewest, self._scaler.most)
            self._cluster.give_back(self._scaler)

    def _scale(self, replicas: int) -> None:
        self._changed = True
        if self._scaler is None:
            self._cluster.scale(self._target, replicas)
        else:
            self._cluster.bound(self._scaler, replicas, replicas)


KINDS: Final[tuple[type[Disturbance], ...]] = (Restart, ScaleDown, Delete)
