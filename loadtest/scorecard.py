"""Watches an autoscaler under a traffic shape on a real cluster: `python -m loadtest scorecard`."""

import secrets
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

from pydantic import Field, ValidationError

from loadtest import manifests, signals
from loadtest.attempt import HOPELESS
from loadtest.autoscaling import card, chart, live
from loadtest.autoscaling.card import Measure, Watched
from loadtest.cluster.whole import WholeCluster
from loadtest.objects import Target
from loadtest.shaped import LEARN_SHARE, ShapedLoad, ShapedResult, second_counts, texts_to_learn
from loadtest.spec import LOAD_IMAGE, Name, Strict
from nlpserve.autoscale_results import PodCount, Score, SecondCounts, Signal
from nlpserve.autoscaling import Autoscaler
from nlpserve.load_shapes import Profile

PERIOD_SECONDS: Final = 1.0
PROGRAM: Final = "loadtest.generator.shaped"
SPARE_SECONDS: Final = 240
"""For the Job's start and end."""
MOST_CPU: Final = 0.9
MOST_SKEW: Final = 1.0
"""Seconds between two clocks."""
MOST_LATE: Final = 0.4
"""Of the objective's time that the generator itself may be late, at its 99th percentile."""


class ScorecardSpec(Strict):
    """What `python -m loadtest scorecard` does."""

    model: str
    namespace: Name
    load_namespace: Name
    load: Profile
    """Requests a second."""
    objective_seconds: float = Field(default=0.5, gt=0, le=60)
    objective_share: float = Field(default=0.99, gt=0.5, lt=1)
    capacity: float = Field(gt=0)
    """Of one pod, in requests/s: how many are needed."""
    fixed: bool = False
    """No autoscaler owns the pods: the mode none."""
    after_seconds: float = Field(default=0, ge=0, le=7_200)
    """Longest time to watch after the load, until the pods are as many as at its begin."""
    image: str = LOAD_IMAGE
    texts: tuple[str, ...] = ()
    """None: made-up ones."""


class ScorecardInvalid(Exception):
    """The run tells nothing; the message says why."""


@dataclass(frozen=True)
class Scored:
    """One run."""

    autoscaler: Autoscaler
    replicas: list[PodCount]
    score: Score
    counts: list[SecondCounts]
    signals: list[Signal]
    began: float
    seconds: float


def run(
    cluster: WholeCluster, spec: ScorecardSpec, target: Target, told: Callable[[str], None]
) -> Scored:
    """Whatever happens, the load's Job goes. Raises ScorecardInvalid, ClusterError."""
    settings = _settings(cluster, target, fixed=spec.fixed)
    port = cluster.service_port(target.namespace, target.name)
    name = manifests.name("scorecard", spec.model, secrets.token_hex(3))
    watched = Watched()
    with ExitStack() as cleanup:
        cleanup.callback(signals.whole, cluster.delete_job, spec.load_namespace, name)
        load = ShapedLoad(
            url=f"http://{target.name}.{target.namespace}.svc:{port}",
            model=spec.model,
            load=spec.load,
            objective_seconds=spec.objective_seconds,
            texts=spec.texts,
            made_up=texts_to_learn(spec.capacity),
            learn_rate=LEARN_SHARE * spec.capacity,
        )
        longest = round(load.seconds) + SPARE_SECONDS
        made = time.time()
        cluster.create_job(
            manifests.generator_job(
                name, spec.load_namespace, spec.image,
                program=PROGRAM, spec=load, model=spec.model, seconds=longest,
            )
        )  # fmt: skip
        said, counts = _follow(
            cluster, spec, target, name, seconds=longest, watched=watched, told=told
        )
        _same_clock(said.began, made, time.time() - spec.load.end)
    end = said.began + spec.load.end
    deadline = end + spec.after_seconds
    first = live.timeline(watched.pods, said.began)[0].wanted
    while time.time() < deadline and watched.pods[-1][1] > first:
        told(f"after the load: {watched.pods[-1][1]} pods")
        time.sleep(PERIOD_SECONDS)
        _look(cluster, target, watched)
    _believe(said, counts, spec)
    seconds = spec.load.end
    if spec.after_seconds:
        seconds = max(seconds, watched.pods[-1][0] - said.began)
    measure = Measure(
        load=spec.load,
        share=spec.objective_share,
        capacity=spec.capacity,
        began=said.began,
        seconds=round(seconds, 1),
    )
    return Scored(
        autoscaler=settings,
        replicas=card.replicas(watched, measure),
        score=card.score(measure, watched, counts),
        counts=counts,
        signals=card.signals(watched, measure),
        began=said.began,
        seconds=measure.seconds,
    )


def _settings(cluster: WholeCluster, target: Target, *, fixed: bool) -> Autoscaler:
    containers = cluster.deployment(target)["spec"]["template"]["spec"]["containers"]
    resources = containers[0].get("resources", {})
    hpa = cluster.autoscaler_object(target)
    if (hpa is None) != fixed:
        said = "an" if fixed else "no"
        raise ScorecardInvalid(
            f"{said} autoscaler owns the replicas of {target.name}: --fixed says that none does"
        )
    if hpa is None:
        return _fixed(resources, cluster.target(target).replicas)
    scaled = None
    if any(entry["type"] == "External" for entry in hpa["spec"]["metrics"]):
        scaled = cluster.scaled_object(target.namespace, target.name)
    try:
        request = chart.quantity(resources.get("requests", {}).get("cpu", 0))
        return live.autoscaler(hpa, scaled, request)
    except ValueError as error:
        raise ScorecardInvalid(str(error)) from None


def _fixed(resources: dict[str, Any], replicas: int) -> Autoscaler:
    """The mode none. Nobody looks at the target, which is all that a pod may use."""
    try:
        cpu = chart.cpu({"resources": resources})
        return Autoscaler(mode="none", min_replicas=replicas, max_replicas=replicas, cpu_target=cpu)
    except ValueError as error:
        raise ScorecardInvalid(f"no autoscaler, and {error}") from None


def _look(cluster: WholeCluster, target: Target, watched: Watched) -> None:
    """One look at pods, Deployment and autoscaler."""
    pods = cluster.pod_objects(target.namespace, target.selector)
    wanted = cluster.target(target).replicas
    now = time.time()
    if not watched.pods:
        watched.old = {pod["metadata"]["name"] for pod in pods}
    watched.pods.append((now, wanted, sum(map(live.ready, pods))))
    for pod in pods:
        began = live.started(pod)
        if began is not None:
            watched.started.setdefault(pod["metadata"]["name"], began)
    hpa = cluster.autoscaler_object(target)
    if hpa is not None:
        watched.signals.append((now, live.signal(hpa, 0)))


def _follow(
    cluster: WholeCluster,
    spec: ScorecardSpec,
    target: Target,
    name: str,
    *,
    seconds: float,
    watched: Watched,
    told: Callable[[str], None],
) -> tuple[ShapedResult, list[SecondCounts]]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        _look(cluster, target, watched)
        state = cluster.job_state(spec.load_namespace, name)
        if state.failure is not None:
            raise ScorecardInvalid(f"the load failed: {state.failure}")
        if state.pod is not None and state.pod.message.startswith(HOPELESS):
            raise ScorecardInvalid(f"the load does not start: {state.pod.message.strip()}")
        if state.succeeded and state.pod is not None:
            try:
                said = ShapedResult.model_validate_json(state.pod.message)
            except ValidationError:
                raise ScorecardInvalid("the generator's result cannot be read") from None
            return said, second_counts(cluster.whole_log(state.pod))
        told(f"{watched.pods[-1][1]} pods wanted, {watched.pods[-1][2]} ready")
        time.sleep(PERIOD_SECONDS)
    raise ScorecardInvalid("the load did not end in time")


def _believe(said: ShapedResult, counts: list[SecondCounts], spec: ScorecardSpec) -> None:
    """Raises ScorecardInvalid."""
    if len(counts) != said.seconds or sum(each.meant for each in counts) != said.sent:
        raise ScorecardInvalid(
            f"of {said.seconds} seconds' counts {len(counts)} were found in the generator's log"
        )
    if said.cpu > MOST_CPU:
        raise ScorecardInvalid(f"the generator used {said.cpu:.2f} of its core")
    if said.late_seconds > MOST_LATE * spec.objective_seconds:
        raise ScorecardInvalid(f"the generator was late by {said.late_seconds:.3f} s")


def _same_clock(began: float, earliest: float, latest: float) -> None:
    """The load's begin is by its node's clock, all else by ours. Raises ScorecardInvalid."""
    if not earliest - MOST_SKEW <= began <= latest + MOST_SKEW:
        raise ScorecardInvalid(
            f"the clocks differ: the load began {began - earliest:.1f} s after its Job was made,"
            f" where at most {latest - earliest:.1f} s can be"
        )
