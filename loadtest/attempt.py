"""One load with one disruption, step by step."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final, Protocol

import orjson
from pydantic import BaseModel, ValidationError

from loadtest import manifests, signals
from loadtest.cluster import Cluster, ClusterError
from loadtest.disruptions import PERIOD_SECONDS, Disturbance, NotSettled
from loadtest.objects import Pod
from loadtest.protocol import PROGRESS
from loadtest.spec import MIN_TAIL_SECONDS, LoadSpec, RolloutSpec
from loadtest.verdicts import LEAST_RATE
from nlpserve.load_results import DisruptionFacts, LoadFacts

HOPELESS: Final = (
    "CreateContainerConfigError", "ErrImageNeverPull", "ErrImagePull", "ImagePullBackOff",
    "InvalidImageName",
)  # fmt: skip
"""Why a container waits for ever."""


class LoadFailed(Exception):
    """The load's Job did not do what it was made for."""


class Progress(BaseModel):
    """One line of the generator's."""

    second: float = 0
    sent: int = 0
    ended: int = 0
    lost: int = 0


class Watcher(Protocol):
    """Who is told how far a run is."""

    def show(self, what: str, sent: int, requests: int) -> None:
        """Called about once a second."""


@contextmanager
def told(problems: list[str]) -> Iterator[None]:
    """What goes wrong becomes a reason of the verdict."""
    try:
        yield
    except (NotSettled, LoadFailed, ClusterError) as error:
        problems.append(str(error))


class Attempt:
    """One run, step by step."""

    def __init__(
        self,
        cluster: Cluster,
        spec: RolloutSpec,
        watcher: Watcher,
        disturbance: Disturbance,
        load: LoadSpec,
    ) -> None:
        """Nothing is done yet."""
        self._cluster = cluster
        self._spec = spec
        self._watcher = watcher
        self._disturbance = disturbance
        self._load = load
        self._job = ""
        self._last = Progress()
        self.counted: LoadFacts | None = None
        self.disrupted: DisruptionFacts | None = None

    def go(self, job: str, problems: list[str]) -> None:
        """All of it. Raises NotSettled, LoadFailed, ClusterError."""
        self._job = job
        space = self._spec.load_namespace

        def clean(action: str) -> None:
            with signals.ignored(), told(problems):
                if action == "job":
                    self._cluster.delete_job(space, job)
                    return
                try:
                    self._disturbance.restore()
                except ClusterError as error:
                    had = self._disturbance.before
                    raise LoadFailed(f"the target is not as it was ({had}): {error}") from None

        with ExitStack() as cleanup:
            cleanup.callback(clean, "target")
            self._show("waiting for the target")
            self._disturbance.prepare()
            cleanup.callback(clean, "job")
            spec = self._spec
            self._cluster.create_job(
                manifests.job(job, space, spec.image, self._load, spec.pull_secrets)
            )
            self._until_steady()
            self._disturb()
            self._finish()

    def _until_steady(self) -> None:
        """Wait until the load has been as it should for some seconds."""
        deadline = time.monotonic() + manifests.deadline(self._load)
        while time.monotonic() < deadline:
            pod, running = self._look()
            if pod is not None and pod.message.startswith(HOPELESS):
                raise LoadFailed(
                    f"{pod.message.strip()} (is the load image there? `make load-image`)"
                )
            second, sent = self._last.second, self._last.sent
            if second >= MIN_TAIL_SECONDS and sent >= LEAST_RATE * second * self._load.rate:
                return
            if not running:
                break
            self._show("load is starting")
            time.sleep(PERIOD_SECONDS)
        raise LoadFailed("the load never became steady")

    def _disturb(self) -> None:
        """Begin the disruption, and wait until it is over; the load may end before."""
        before = self._last
        pods = {pod.uid for pod in self._disturbance.pods()}
        began = time.monotonic()
        self._disturbance.strike()
        while not self._disturbance.over():
            if time.monotonic() > began + self._spec.settle_seconds:
                raise NotSettled(
                    f"the {self._disturbance.kind} was not over after"
                    f" {self._spec.settle_seconds:.0f} s"
                )
            self._look()
            self._show("disrupted")
            time.sleep(PERIOD_SECONDS)
        _, running = self._look()
        after = {pod.uid for pod in self._disturbance.pods()}
        self.disrupted = DisruptionFacts(
            sent_before=before.sent,
            sent_after=self._last.sent if running else self._load.requests,
            lost_before=before.lost,
            seconds=round(time.monotonic() - began, 1),
            pods_before=len(pods),
            pods_gone=len(pods - after),
            pods_new=len(after - pods),
        )

    def _finish(self) -> None:
        """Wait for the end of the load, and read what it counted."""
        deadline = time.monotonic() + manifests.deadline(self._load)
        while time.monotonic() < deadline:
            pod, running = self._look()
            if not running:
                try:
                    self.counted = LoadFacts.model_validate_json(pod.message if pod else "")
                except ValidationError:
                    raise LoadFailed("the generator's result cannot be read") from None
                return
            self._show("load goes on")
            time.sleep(PERIOD_SECONDS)
        raise LoadFailed("the load did not end in time")

    def _look(self) -> tuple[Pod | None, bool]:
        """The load's pod, and whether it still runs; notes its progress. Raises LoadFailed."""
        state = self._cluster.job_state(self._spec.load_namespace, self._job)
        if state.failure is not None:
            raise LoadFailed(f"the load failed: {state.failure}")
        if state.pod is not None:
            for line in self._cluster.last_lines(state.pod, 2):
                if line.startswith(PROGRESS):
                    self._last = Progress(**orjson.loads(line.removeprefix(PROGRESS)))
        return state.pod, not state.succeeded

    def _show(self, what: str) -> None:
        self._watcher.show(what, self._last.sent, self._load.requests)
