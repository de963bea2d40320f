"""The scorecard of a real run. Pure: what was seen and counted in, numbers out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from loadtest.autoscaling import live, scoring
from nlpserve.autoscale_results import AutoscaleRecord, PodCount, Score, SecondCounts, Signal
from nlpserve.load_shapes import Profile


@dataclass
class Watched:
    """What was seen, by the clock of this machine."""

    pods: list[tuple[float, int, int]] = field(default_factory=list)
    signals: list[tuple[float, Signal]] = field(default_factory=list)
    started: dict[str, float] = field(default_factory=dict)
    """Pod → when its container ran."""
    old: set[str] = field(default_factory=set)
    """Pods of the first look."""


@dataclass(frozen=True)
class Measure:
    """What the card is made by."""

    load: Profile
    share: float
    """Of a second's requests that have to be answered in time."""
    capacity: float | None
    """Requests a second of one pod; None: unknown, and so is how many pods were needed."""
    began: float
    """Second 0, in seconds since 1970."""
    seconds: float
    """How long it was watched."""


def replicas(watched: Watched, measure: Measure) -> list[PodCount]:
    """The timeline from second 0 to the end of the watch."""
    found = live.timeline(watched.pods, measure.began)
    return [point for point in found if point.second <= measure.seconds]


def signals(watched: Watched, measure: Measure) -> list[Signal]:
    """What the autoscaler said it saw, from second 0 on."""
    return [
        entry.model_copy(update={"second": round(at - measure.began, 1)})
        for at, entry in watched.signals
        if 0 <= at - measure.began <= measure.seconds
    ]


def score(measure: Measure, watched: Watched, counts: list[SecondCounts]) -> Score:
    """The card."""
    new = [at - measure.began for name, at in watched.started.items() if name not in watched.old]
    started = min((second for second in new if second >= 0), default=None)
    return _score(measure, replicas(watched, measure), started, counts)


def again(record: AutoscaleRecord) -> Score:
    """A record's card as it is worked out today, from its own timeline and counts."""
    if not record.counts:
        return record.score
    measure = Measure(
        load=record.load,
        share=record.calibration.objective_share,
        capacity=record.calibration.capacity,
        began=0,
        seconds=record.seconds,
    )
    return _score(measure, record.replicas, record.score.started_seconds, record.counts)


def _score(
    measure: Measure,
    found: Sequence[PodCount],
    started: float | None,
    counts: Sequence[SecondCounts],
) -> Score:
    missed = [
        float(each.second)
        for each in sorted(counts, key=lambda each: each.second)
        if each.in_time < measure.share * each.meant
    ]
    ready = scoring.ready_seconds(found)
    answered = sum(each.answered for each in counts)
    minutes = scoring.replica_minutes(found, measure.seconds)
    after = None
    if ready is not None:
        after = float(sum(e.shed + e.lost for e in counts if e.second >= ready))
    surplus, lack = _misfit(measure, found)
    return Score(
        replica_minutes=round(minutes, 3),
        peak=scoring.peak(found),
        rise_seconds=_rise(measure, found),
        decision_seconds=scoring.decision_seconds(found),
        started_seconds=None if started is None else round(started, 1),
        ready_seconds=ready,
        met_again_seconds=scoring.met_again_seconds(missed, 1.0, measure.load.end, measure.load.at),
        out_of_objective_seconds=float(len(missed)),
        requests=float(sum(each.meant for each in counts)),
        failed=float(sum(each.shed + each.lost for each in counts)),
        failed_after_ready=after,
        pod_hours_per_million=round(minutes / 60 / answered * 1e6, 3) if answered else None,
        over_provisioning=surplus,
        shortage=lack,
        flaps=scoring.flaps(found),
    )


def _rise(measure: Measure, found: Sequence[PodCount]) -> float | None:
    if measure.capacity is None:
        return None
    most = measure.capacity * found[0].ready
    return scoring.rise_seconds(measure.load.at, measure.load.end, most)


def _misfit(measure: Measure, found: Sequence[PodCount]) -> tuple[float | None, float | None]:
    if measure.capacity is None:
        return None, None
    rates = [measure.load.at(second) for second in range(round(measure.seconds))]
    needed = [max(1, math.ceil(rate / measure.capacity)) for rate in rates]
    surplus, lack = scoring.misfit(found, needed)
    return (
        None if surplus is None else round(surplus, 3),
        None if lack is None else round(lack, 3),
    )
