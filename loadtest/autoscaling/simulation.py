"""One model under one traffic shape, second by second."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from loadtest.autoscaling import proposals, scoring
from loadtest.autoscaling.behavior import Decisions
from loadtest.autoscaling.metric_sources import KedaMetric
from loadtest.autoscaling.pods import Pods, forget, scrape
from loadtest.autoscaling.proposals import Tolerances
from nlpserve.autoscale_results import PodCount, Score
from nlpserve.autoscaling import Autoscaler, Calibration, ClusterTiming

STEP_SECONDS: Final = 0.5
WARM_SECONDS: Final = 60.0
"""Before the load there has been `World.before` for so long, so that metrics exist."""


@dataclass(frozen=True)
class Phases:
    """When the cluster's clocks tick, as seconds after the load's begin; nobody can choose them."""

    sync: float = 0.0
    metrics: float = 0.0
    scrape: float = 0.0
    poll: float = 0.0
    seed: int = 0
    """Of what the kubelets draw."""


@dataclass(frozen=True)
class World:
    """All that a simulation is told."""

    autoscaler: Autoscaler
    calibration: Calibration
    timing: ClusterTiming = field(default_factory=ClusterTiming)
    before: float = 0.0
    """Requests a second until the load begins."""
    source_up: Callable[[float], bool] = lambda _: True
    """Whether Prometheus answers at a second."""
    metrics_up: Callable[[float], bool] = lambda _: True
    """Whether metrics-server answers at a second."""


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    replicas: list[PodCount]
    score: Score


@dataclass
class _Tally:
    requests: float = 0.0
    failed: float = 0.0
    missed: list[float] = field(default_factory=list)
    """Begins of the steps that missed the objective."""


def simulate(
    world: World,
    rate: Callable[[float], float],
    seconds: float,
    *,
    begin: int | None = None,
    phases: Phases | None = None,
) -> Outcome:
    """`rate` gives requests a second at each second of the load; `begin` are the pods before it."""
    return _Run(world, rate, phases or Phases()).go(seconds, begin)


class _Clock:
    """Ticks at its phase and each period after it, from before the warm-up on."""

    def __init__(self, phase: float, period: float) -> None:
        self._period = period
        self._next = phase % period - period * (WARM_SECONDS // period + 1)

    def due(self, now: float) -> bool:
        """Whether it ticked since it was last asked."""
        if now < self._next - 1e-9:
            return False
        while self._next <= now + 1e-9:
            self._next += self._period
        return True


class _Run:
    def __init__(self, world: World, rate: Callable[[float], float], phases: Phases) -> None:
        self._world = world
        self._rate = rate
        timing = world.timing
        self._chance = random.Random(phases.seed)  # noqa: S311
        self._syncs = _Clock(phases.sync, timing.sync_seconds)
        self._measures = _Clock(phases.metrics, timing.metrics_seconds)
        self._scrapes = _Clock(phases.scrape, timing.scrape_seconds)
        keda = world.autoscaler.keda
        self._decisions = Decisions(world.autoscaler)
        self._keda = KedaMetric(keda) if keda and world.autoscaler.mode == "keda" else None
        self._polls = _Clock(phases.poll, keda.polling_interval if keda else 1.0)
        self._pods: list[Pods] = []
        self._gone: list[Pods] = []
        self._tally = _Tally()
        self._active = True

    def go(self, seconds: float, begin: int | None) -> Outcome:
        started = -WARM_SECONDS - self._world.calibration.ready_seconds
        count = self._world.autoscaler.min_replicas if begin is None else begin
        self._pods = [Pods(count, started, self._world.calibration, self._chance)]
        found: list[PodCount] = []
        steps = round((seconds + WARM_SECONDS) / STEP_SECONDS)
        for step in range(steps + 1):
            now = step * STEP_SECONDS - WARM_SECONDS
            self._clocks(now)
            if now >= 0:
                point = self._count(now)
                if not found or (point.wanted, point.ready) != (found[-1].wanted, found[-1].ready):
                    found.append(point)
            if step < steps:
                self._flow(now)
        return Outcome(found, self._score(found, seconds))

    def _count(self, now: float) -> PodCount:
        ready = sum(group.count for group in self._pods if group.ready(now))
        return PodCount(second=now, wanted=self._wanted, ready=ready)

    @property
    def _wanted(self) -> int:
        return sum(group.count for group in self._pods)

    def _clocks(self, now: float) -> None:
        """What looks at this moment, looks; then the autoscaler, if it is its turn."""
        for group in self._pods:
            group.note(now)
        if self._measures.due(now) and self._world.metrics_up(now):
            for group in self._pods:
                group.measure()
        if self._keda is not None:
            window = self._keda.settings.window_seconds
            up = self._world.source_up(now)
            if self._scrapes.due(now) and up:
                scrape(self._pods, now)
            self._gone = [group for group in self._gone if forget(group, now - window)]
            if self._polls.due(now):
                seen = self._pods + self._gone
                self._keda.poll(now, seen, self._wanted, up=up, asked=self._active)
        if self._syncs.due(now) and now >= 0 and self._world.autoscaler.mode != "none":
            self._sync(now)

    def _sync(self, now: float) -> None:
        current = self._wanted
        wish = proposals.largest(self._wishes(now, current), current)
        self._active = wish is not None
        wanted = self._decisions.decide(now, current, wish)
        if wanted > current:
            fresh = Pods(wanted - current, now, self._world.calibration, self._chance)
            self._pods.append(fresh)
        while wanted < self._wanted:
            # The ReplicaSet ends pods that are not ready first, and then the youngest.
            youngest = self._pods[-1]
            surplus = min(youngest.count, self._wanted - wanted)
            self._gone.append(replace(youngest, count=surplus, scraped=youngest.scraped.copy()))
            youngest.count -= surplus
            if not youngest.count:
                self._pods.pop()

    def _wishes(self, now: float, current: int) -> list[int | None]:
        settings, timing = self._world.autoscaler, self._world.timing
        rules = settings.behavior
        up, down = rules.scale_up.tolerance, rules.scale_down.tolerance
        tolerances = Tolerances(
            down=timing.tolerance if down is None else down,
            up=timing.tolerance if up is None else up,
        )
        states = [group.state(now, timing.metrics_seconds) for group in self._pods]
        target = round(settings.cpu_target * 1000)
        up_now = self._world.metrics_up(now)
        wishes = [
            proposals.average(states, current, target, tolerances, now=now, timing=timing)
            if up_now
            else None
        ]
        if self._keda is not None:
            source = self._world.source_up(now)
            milli = self._keda.ask(now, self._pods + self._gone, current, up=source)
            wishes.append(
                None
                if milli is None
                else proposals.total(milli, self._keda.target, current, tolerances)
            )
        return wishes

    def _flow(self, now: float) -> None:
        """The step that begins now."""
        arrivals = (self._rate(now) if now >= 0 else self._world.before) * STEP_SECONDS
        ready = sum(group.count for group in self._pods if group.ready(now))
        failed = arrivals if not ready else 0.0
        met = not failed
        for group in self._pods:
            if not group.ready(now):
                group.start(now, STEP_SECONDS)
                continue
            share = arrivals / ready
            met = group.meets(share, STEP_SECONDS) and met
            failed += group.serve(share, STEP_SECONDS)[1] * group.count
        if now < 0:
            return
        self._tally.requests += arrivals
        self._tally.failed += failed
        if not met or failed > 0:
            self._tally.missed.append(now)

    def _score(self, found: list[PodCount], seconds: float) -> Score:
        missed = self._tally.missed
        return Score(
            replica_minutes=scoring.replica_minutes(found, seconds),
            peak=scoring.peak(found),
            decision_seconds=scoring.decision_seconds(found),
            ready_seconds=scoring.ready_seconds(found),
            met_again_seconds=scoring.met_again_seconds(missed, STEP_SECONDS, seconds, self._rate),
            out_of_objective_seconds=len(missed) * STEP_SECONDS,
            requests=self._tally.requests,
            failed=self._tally.failed,
            flaps=scoring.flaps(found),
        )
