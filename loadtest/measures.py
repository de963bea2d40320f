"""What follows from a load test's facts: rates, agreement of counts, objectives. Pure."""

from nlpserve.load_scenarios import ClosedLoad
from nlpserve.load_shapes import Profile
from nlpserve.load_tests import Achieved, Agreement, LoadTestResult, ObjectiveResult

LOOKS = 4
"""A second's users are at least the fewest that the shape has at its quarters: a worker follows it
within one of them."""


def achieved(result: LoadTestResult) -> Achieved | None:
    """Intended and achieved, over the hold; None when nothing ran."""
    if not result.workers:
        return None
    load, hold = result.scenario.load, result.hold
    requests: float | None = None
    users: float | None = None
    share: float | None = None
    if isinstance(load, ClosedLoad):
        wanted = ((row.users, _wanted(load, row.second)) for row in result.timeline)
        users = load.highest()
        share = min((there / meant for there, meant in wanted if meant), default=None)
        if load.every_seconds is not None:
            requests = _area(result) / load.every_seconds
    else:
        requests = _area(result)
    return Achieved(
        intended_requests=requests,
        sent=hold.counts.sent,
        intended_rate=None if requests is None else requests / hold.seconds,
        sent_rate=hold.counts.sent / hold.seconds,
        answered_rate=answered_rate(result),
        intended_users=users,
        least_user_share=share,
    )


def _wanted(load: Profile, second: int) -> int:
    """Users that must be there at the end of this second; 0 outside the hold."""
    if not load.ramp_seconds <= second or not second + 1 < load.end:
        return 0
    return min(round(load.at(second + quarter / LOOKS)) for quarter in range(LOOKS + 1))


def answered_rate(result: LoadTestResult) -> float:
    """Answers that came within the hold's whole seconds, a second: what the target kept up with.

    Those that came later belong to the hold's latencies; by them a queue would pass for throughput.
    """
    rows = [row.answered for row in result.timeline if result.scenario.load.holds(row.second)]
    return sum(rows) / len(rows) if rows else 0.0


def _area(result: LoadTestResult) -> float:
    """Under the level, over the hold."""
    load, steps = result.scenario.load, 10
    cells = round(load.seconds * steps)
    return sum(load.at(load.ramp_seconds + (cell + 0.5) / steps) for cell in range(cells)) / steps


def agreement(result: LoadTestResult) -> Agreement | None:
    """The pods' counters beside ours; None when nothing ran."""
    if not result.workers or not result.pods:
        return None
    whole = result.all
    ours = {str(status): number for status, number in whole.statuses.items()}
    theirs: dict[str, int] = {}
    for pod in result.pods:
        for status, number in pod.counted.items():
            theirs[status] = theirs.get(status, 0) + number
    kinds = ours.keys() | theirs.keys()
    missing = sum(max(0, ours.get(kind, 0) - theirs.get(kind, 0)) for kind in kinds)
    more = sum(max(0, theirs.get(kind, 0) - ours.get(kind, 0)) for kind in kinds)
    unanswered = whole.counts.timed_out + whole.counts.reset
    others = sum(pod.foreign for pod in result.pods)
    return Agreement(
        client_answers=sum(ours.values()),
        client_unanswered=unanswered,
        pod_answers=sum(theirs.values()),
        dead_pods=sum(pod.after is None for pod in result.pods),
        missing=missing,
        foreign=max(0, more - unanswered) + others,
    )


def objectives(result: LoadTestResult) -> list[ObjectiveResult]:
    """Each objective of the scenario with what was measured; none when nothing ran."""
    if not result.workers:
        return []
    wanted, counts = result.scenario.objectives, result.all.counts
    ratio = counts.lost / counts.ended if counts.ended else None
    found = [
        ObjectiveResult(
            name="failure_ratio", unit="ratio", bound="most", limit=wanted.failure_ratio,
            measured=ratio, met=ratio is not None and ratio <= wanted.failure_ratio,
        )
    ]  # fmt: skip
    for name, limit in wanted.latency.items():
        measured = result.hold.intended.percentile(float(name.removeprefix("p")))
        found.append(
            ObjectiveResult(
                name=name,
                unit="s",
                bound="most",
                limit=limit,
                measured=measured,
                met=measured is not None and measured <= limit,
            )
        )
    if wanted.answered_rate is not None and result.hold.seconds:
        rate = answered_rate(result)
        found.append(
            ObjectiveResult(
                name="answered_rate",
                unit="1/s",
                bound="least",
                limit=wanted.answered_rate,
                measured=rate,
                met=rate >= wanted.answered_rate,
            )
        )
    return found
