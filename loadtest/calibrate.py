"""Calibrates pods on a cluster: `python -m loadtest calibrate`."""

import secrets
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

import orjson
from pydantic import ValidationError

from loadtest import manifests, signals
from loadtest.attempt import HOPELESS
from loadtest.calibrate_spec import CalibrateSpec
from loadtest.calibration import manifests as pinning
from loadtest.calibration.derived import PodFacts, Release
from loadtest.calibration.spec import Searched
from loadtest.cluster.whole import WholeCluster
from loadtest.objects import JobState, Target
from loadtest.protocol import PROGRESS

PERIOD_SECONDS: Final = 1.0
START_SECONDS: Final = 120
PROGRAM: Final = "loadtest.generator.calibration"
PINNED: Final = "a pinned pod"


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
    if spec.batch_size is not None:
        deployment = pinning.with_batches(deployment, spec.batch_size)
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
