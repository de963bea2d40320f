"""What the Markdown and the HTML both show: a result in, tables out. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from loadtest.load_report import words
from nlpserve.load_results import LOSSES, Outcome
from nlpserve.load_tests import SHOWN, LoadTestResult, Measured


@dataclass(frozen=True)
class Table:
    """A heading, rows, and what to know about them."""

    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]] = ()
    note: str = ""


def all_tables(result: LoadTestResult) -> list[Table]:
    """Those that have rows, the most telling ones first."""
    made = (
        objectives(result),
        latency(result),
        outcomes(result),
        intent(result),
        pods(result),
        agreement(result),
        workers(result),
    )
    return [table for table in made if table.rows]


def objectives(result: LoadTestResult) -> Table:
    """What was wanted and what was measured."""
    bounds = {"most": "at most", "least": "at least"}
    return Table(
        "Objectives",
        ("objective", "wanted", "measured", "met"),
        [
            (
                objective.name.replace("_", " "),
                f"{bounds[objective.bound]} {words.with_unit(objective.limit, objective.unit)}",
                words.with_unit(objective.measured, objective.unit),
                "yes" if objective.met else "no",
            )
            for objective in result.objectives
        ],
    )


def latency(result: LoadTestResult) -> Table:
    """From the intended start and from the send."""
    intended, sent = result.hold.intended, result.hold.sent
    names = [f"p{percent:g}" for percent in SHOWN]
    found = zip(names, intended.percentiles(SHOWN), sent.percentiles(SHOWN), strict=True)
    rows = [*found, ("longest", intended.highest, sent.highest)]
    rows.insert(0, ("mean", intended.mean, sent.mean))
    return Table(
        "Latency of right answers in the hold",
        ("", "from the intended start", "from the send", "hidden by waiting to send"),
        [(name, words.duration(a), words.duration(b), _hidden(a, b)) for name, a, b in rows]
        if intended.number
        else [],
        "The first column counts, since it is what a user feels. The second one leaves out how late"
        " the load itself was (coordinated omission); where both agree, the load was in time.",
    )


def _hidden(intended: float | None, sent: float | None) -> str:
    return words.duration(None if intended is None or sent is None else max(0.0, intended - sent))


def outcomes(result: LoadTestResult) -> Table:
    """What became of the requests of each part."""
    parts = {"rise": result.rise, "hold": result.hold, "all": result.all}
    seen = [outcome for outcome in LOSSES if getattr(result.all.counts, outcome)]
    names = [outcome.replace("_", " ") for outcome in seen]
    return Table(
        "Requests",
        ("", "seconds", "sent", "answered", "failed", *names, "HTTP statuses"),
        [_outcome(name, part, seen) for name, part in parts.items() if part.counts.sent],
    )


def _outcome(name: str, part: Measured, seen: Sequence[Outcome]) -> tuple[str, ...]:
    counts = part.counts
    numbers = [words.count(getattr(counts, outcome)) for outcome in seen]
    statuses = ", ".join(
        f"{code}: {number:,}" for code, number in sorted(part.statuses.items()) if number
    )
    failed = words.count(counts.lost)
    if counts.lost:
        failed += f" ({words.share(counts.lost / counts.sent)})"
    whole = (words.count(counts.sent), words.count(counts.answered), failed)
    return (name, f"{part.seconds:.0f}", *whole, *numbers, statuses or words.NOTHING)


def intent(result: LoadTestResult) -> Table:
    """Whether the load was what it was meant to be."""
    achieved = result.achieved
    if achieved is None:
        return Table("Load, meant and made", ())
    rows = [
        ("requests", words.count(achieved.intended_requests), words.count(achieved.sent)),
        ("requests sent", words.rate(achieved.intended_rate), words.rate(achieved.sent_rate)),
        ("right answers", words.NOTHING, words.rate(achieved.answered_rate)),
    ]
    if achieved.intended_users is not None:
        least = f"at least {words.share(achieved.least_user_share)} of them in each second"
        rows.append(("users", words.count(achieved.intended_users), least))
    return Table("Load, meant and made", ("in the hold", "meant", "made"), rows)


def pods(result: LoadTestResult) -> Table:
    """The target's pods and their share."""
    counted = {pod.name: sum(pod.counted.values()) for pod in result.pods}
    everything = sum(counted.values())
    return Table(
        "Pods of the target",
        ("pod", "requests", "share", "restarts", "ready at", "ended at", "counted by", "foreign"),
        [
            (
                pod.name,
                words.count(counted[pod.name]),
                words.share(counted[pod.name] / everything if everything else None),
                str(pod.restarts),
                _moment(pod.first_second, "before the load"),
                _moment(pod.last_second, "is there"),
                {"metrics": "its metrics", "log": "its last log line"}.get(pod.source, "nobody"),
                words.count(pod.foreign),
            )
            for pod in result.pods
        ],
    )


def _moment(second: float | None, otherwise: str) -> str:
    return otherwise if second is None else f"{second:.0f} s"


def agreement(result: LoadTestResult) -> Table:
    """The client's counts beside the pods'."""
    facts = result.agreement
    if facts is None:
        return Table("Do the counts agree?", ())
    named = {
        "answers that the client got": facts.client_answers,
        "requests that it got no answer to": facts.client_unanswered,
        "requests that the pods counted": facts.pod_answers,
        "answers that no pod counted": facts.missing,
        "requests that were not ours": facts.foreign,
        "pods whose last counts nobody knows": facts.dead_pods,
    }
    rows = [(name, words.count(number)) for name, number in named.items()]
    return Table("Do the counts agree?", ("", "number"), rows)


def workers(result: LoadTestResult) -> Table:
    """What the load cost, and how near its makers were to their limits."""
    return Table(
        "Workers of the load",
        (
            "worker", "requests", "CPU mean", "CPU worst", "throttled", "loop lag p99",
            "open sockets, least to most", "ports", "descriptors", "memory",
        ),
        [
            (
                str(worker.index),
                words.count(worker.counts.sent),
                words.share(worker.cpu_share),
                words.share(worker.cpu_share_most),
                words.share(worker.throttled_periods / worker.periods if worker.periods else None),
                words.duration(worker.lag_p99),
                f"{worker.sockets_least:,} to {worker.sockets_most:,}",
                f"{worker.ports_most:,} of {worker.ports_limit:,}",
                f"{worker.descriptors_most:,} of {worker.descriptors_limit:,}",
                words.size(worker.memory_most),
            )
            for worker in result.workers
        ],
        "CPU is a share of the worker's limit. Sockets are sampled each second of the hold.",
    )  # fmt: skip
