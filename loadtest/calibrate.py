"""Calibrates pods on a cluster: `python -m loadtest calibrate`."""

import secrets
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import orjson
from pydantic import Field, ValidationError

from loadtest import manifests, signals
from loadtest.attempt import HOPELESS
from loadtest.calibration import manifests as pinning
from loadtest.calibration.derived import PodFacts, Release
from loadtest.calibration.search import SearchPlan
from loadtest.calibration.spec import MOST_PODS, CalibrationLoad, Searched
from loadtest.calibration.trials import Objective
from loadtest.cluster.whole import WholeCluster
from loadtest.objects import JobState, Target
from loadtest.protocol import PROGRESS
from loadtest.spec import LOAD_IMAGE, Name, Strict

PERIOD_SECONDS: Final = 1.0
START_SECONDS: Final = 120
PROGRAM: Final = "loadtest.generator.calibration"
PINNED: Final = "a pinned pod"


class Form(StrEnum):
    """How thoroughly it is done."""

    QUICK = "quick"
    FULL = "full"


LENGTHS: Final[dict[Form, dict[str, Any]]] = {
    Form.QUICK: {
        "seconds": 4,
        "most_seconds": 6,
        "point_seconds": 5,
        "repeats": 3,
        "more": 1,
        "resolution": 0.08,
    },
    Form.FULL: {"seconds": 30, "point_seconds": 40, "repeats": 5, "more": 3, "resolution": 0.04},
}
LONGEST_SECONDS: Final = {Form.QUICK: 900, Form.FULL: 5_400}
"""After which it has failed, with loads of their usual length."""
LOAD_OBJECTIVES: Final = 6
"""A load lasts so many times the objective at least, or nothing could be late within it."""
TIMEOUT_SECONDS: Final = 10
"""Longest wait of the generator for an answer; twice the objective where that is more."""


class CalibrateSpec(Strict):
    """What `python -m loadtest calibrate` does."""

    model: str
    namespace: Name
    release: str | None = None
    load_namespace: Name
    image: str = LOAD_IMAGE
    form: Form = Form.FULL
    objective_seconds: float = Field(gt=0, le=60)
    objective_share: float = Field(gt=0.5, lt=1)
    start_rate: float = Field(default=20, gt=0.2, le=20_000)
    pods: int = Field(default=1, ge=1, le=MOST_PODS)
    """That are loaded together; all rates are of one."""
    cpu: str | None = None
    """Their limit; else the release's."""
    texts: tuple[str, ...] = ()

    def load(self, addresses: list[str]) -> CalibrationLoad:
        """What the generator is told."""
        objective = Objective(seconds=self.objective_seconds, share=self.objective_share)
        lengths = LENGTHS[self.form] | {
            name: LENGTHS[self.form][name] * self._longer for name in ("seconds", "point_seconds")
        }
        return CalibrationLoad(
            urls=tuple(addresses),
            model=self.model,
            search=SearchPlan(objective=objective, start_rate=self.start_rate, **lengths),
            texts=self.texts,
            timeout_seconds=max(TIMEOUT_SECONDS, 2 * self.objective_seconds),
        )

    @property
    def _longer(self) -> float:
        usual = float(LENGTHS[self.form]["seconds"])
        return max(1.0, LOAD_OBJECTIVES * self.objective_seconds / usual)

    @property
    def load_seconds(self) -> float:
        """Of each load of the search."""
        return float(LENGTHS[self.form]["seconds"] * self._longer)

    @property
    def longest(self) -> int:
        """Seconds after which it has failed."""
        return round(LONGEST_SECONDS[self.form] * self._longer)


class CalibrationFailed(Exception):
    """It did not come to an end that can be believed; the message says why."""


@dataclass(frozen=True)
class Calibrated:
    """What came of it."""

    searched: Searched
    pod: PodFacts
    release: Release


Told = Callable[[str], None]


def calibrate(cluster: WholeCluster, spec: CalibrateSpec, target: Target, told: Told) -> Calibrated:
    """Whatever happens, both Jobs go. Raises CalibrationFailed, ClusterError, NotCalibratable."""
    deployment = cluster.deployment(target)
    if spec.cpu is not None:
        deployment = pinning.with_cpu(deployment, spec.cpu)
    release = pinning.release(deployment)
    run = secrets.token_hex(3)
    if spec.objective_seconds > release.deadline_seconds:
        raise CalibrationFailed(
            f"the objective is {spec.objective_seconds:g} s, but the release sheds what it cannot"
            f" answer in {release.deadline_seconds:g} s: lower it, or raise limits.deadlineSeconds"
        )
    longest = spec.longest
    with ExitStack() as cleanup:
        name = manifests.name("calibrate", spec.model, run)
        job = pinning.pinned(
            deployment, name, model=spec.model, load_namespace=spec.load_namespace,
            seconds=longest + START_SECONDS, pods=spec.pods,
        )  # fmt: skip
        cleanup.callback(signals.whole, cluster.delete_job, target.namespace, name)
        cluster.create_job(job)
        told("the pinned pods start")
        pods, pod_times = _until_ready(cluster, target.namespace, name, spec.pods)
        port = pinning.port(deployment)
        addresses = [f"http://{pod['status']['podIP']}:{port}" for pod in pods]
        loader = manifests.name("calibrate-load", spec.model, run)
        cleanup.callback(signals.whole, cluster.delete_job, spec.load_namespace, loader)
        cluster.create_job(
            manifests.generator_job(
                loader, spec.load_namespace, spec.image,
                program=PROGRAM, spec=spec.load(addresses), model=spec.model, seconds=longest,
            )
        )  # fmt: skip
        searched = _until_done(cluster, spec, loader, (target.namespace, name), told)
    if searched.found is None:
        raise CalibrationFailed(searched.invalid)
    facts = PodFacts(
        pods=spec.pods,
        schedule_seconds=pod_times[0],
        ready_seconds=pod_times[1],
        idle_cpu=searched.idle_cpu,
        memory_mib=searched.memory_bytes / 2**20,
    )
    return Calibrated(searched, facts, release)


def _until_ready(
    cluster: WholeCluster, namespace: str, job: str, number: int
) -> tuple[list[dict[str, Any]], tuple[float, float]]:
    """The pods, and how long the slowest took to its container's start and to Ready."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        _running(cluster.job_state(namespace, job), PINNED)
        found = cluster.pod_objects(namespace, f"batch.kubernetes.io/job-name={job}")
        ready = [(pod, times) for pod in found if (times := pinning.times(pod))]
        if len(ready) == number and all(pod["status"].get("podIP") for pod, _ in ready):
            started, until_ready = zip(*(times for _, times in ready), strict=True)
            return [pod for pod, _ in ready], (max(started), max(until_ready))
        time.sleep(PERIOD_SECONDS)
    raise CalibrationFailed(
        f"{PINNED} was not ready within {START_SECONDS} s: {_why(cluster, namespace, job)}"
    )


def _why(cluster: WholeCluster, namespace: str, job: str) -> str:
    """What Kubernetes says of a pod that does not come."""
    found = cluster.pod_objects(namespace, f"batch.kubernetes.io/job-name={job}")
    said = [
        entry.get("message", "")
        for pod in found
        for entry in pod.get("status", {}).get("conditions", ())
        if entry["type"] == "PodScheduled" and entry["status"] != "True"
    ]
    state = cluster.job_state(namespace, job)
    said += [state.pod.message] if state.pod is not None else cluster.warnings(namespace, job)
    return next(filter(None, said), "Kubernetes does not say why")


def _until_done(
    cluster: WholeCluster, spec: CalibrateSpec, loader: str, pinned: tuple[str, str], told: Told
) -> Searched:
    deadline = time.monotonic() + spec.longest
    while time.monotonic() < deadline:
        _running(cluster.job_state(*pinned), PINNED)
        state = cluster.job_state(spec.load_namespace, loader)
        _running(state, "the load")
        if state.succeeded:
            try:
                return Searched.model_validate_json(state.pod.message if state.pod else "")
            except ValidationError:
                raise CalibrationFailed("the generator's result cannot be read") from None
        for line in cluster.last_lines(state.pod, 1) if state.pod is not None else ():
            if line.startswith(PROGRESS):
                told(_progress(orjson.loads(line.removeprefix(PROGRESS))))
        time.sleep(PERIOD_SECONDS)
    raise CalibrationFailed("the search did not end in time")


def _progress(words: dict[str, Any]) -> str:
    holds = "holds" if words["met"] else "fails"
    return f"load {words['trial']}: {words['rate']} requests/s, the objective {holds}"


def _running(state: JobState, what: str) -> None:
    """Raises CalibrationFailed when it has failed, or never will run."""
    if state.failure is not None:
        raise CalibrationFailed(f"{what} failed: {state.failure}")
    if state.pod is not None and state.pod.message.startswith(HOPELESS):
        raise CalibrationFailed(f"{what} does not start: {state.pod.message.strip()}")
