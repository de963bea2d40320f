"""Whether a run passed, failed, or could not tell. Pure: facts in, verdict and reasons out."""

from typing import Final

from loadtest.spec import MIN_TAIL_SECONDS
from nlpserve.load_results import LOSSES, Counts, DisruptionFacts, LoadFacts, Verdict

LEAST_RATE: Final = 0.9
"""Of the rate that was meant; below it the target was spared."""
MOST_LAG: Final = 0.1
"""Of a request's timeout; above it a timeout may be the generator's own."""


def judge(
    load: LoadFacts | None,
    disrupted: DisruptionFacts | None,
    *,
    requests: int,
    rate: float,
    timeout_seconds: float,
    problems: list[str],
) -> tuple[Verdict, list[str]]:
    """`problems` are what went wrong with the run itself, such as a Job that failed."""
    invalid = [*problems]
    if load is None:
        invalid.append("the generator gave no counts")
    else:
        invalid += _counts(load, requests) + _generator(load, rate, timeout_seconds)
    if disrupted is None:
        invalid.append("the disruption did not take place")
    else:
        invalid += _disruption(disrupted, requests, rate)
    lost = _losses(load) if load is not None else []
    if invalid:
        return Verdict.INVALID, invalid + lost
    return (Verdict.FAIL, lost) if lost else (Verdict.PASS, [])


def _counts(load: LoadFacts, requests: int) -> list[str]:
    found = []
    for name, counts in (("kept", load.kept), ("new", load.new)):
        if counts.sent != counts.ended:
            found.append(
                f"the counts do not add up: {counts.sent} sent on {name} connections,"
                f" {counts.ended} ended"
            )
    if load.total.sent != requests:
        found.append(f"{load.total.sent} requests were sent, not {requests}")
    return found


def _generator(load: LoadFacts, rate: float, timeout_seconds: float) -> list[str]:
    found = []
    achieved = load.total.sent / load.seconds
    if achieved < LEAST_RATE * rate:
        found.append(
            f"{achieved:.1f} requests a second were made, not {rate:.1f}:"
            " lower the rate, or give the generator more clients or CPU"
        )
    if load.longest_lag > MOST_LAG * timeout_seconds:
        found.append(
            f"the generator stood still for {load.longest_lag:.2f} s: give it more CPU, or"
            " run less beside it"
        )
    return found


def _disruption(disrupted: DisruptionFacts, requests: int, rate: float) -> list[str]:
    tail = LEAST_RATE * MIN_TAIL_SECONDS * rate
    found = []
    if not disrupted.pods_gone:
        found.append("the disruption took no pod away")
    if disrupted.sent_before < min(tail, requests / 4):
        found.append(f"the disruption began when only {disrupted.sent_before} requests were sent")
    if disrupted.sent_after > requests - min(tail, requests / 4):
        found.append(
            f"the disruption was over when {disrupted.sent_after} of {requests} requests were"
            " sent: let the load last longer (--seconds)"
        )
    return found


def _losses(load: LoadFacts) -> list[str]:
    return [
        f"{counts.lost} of {counts.sent} on {name} connections: {_named(counts)}"
        for name, counts in (("kept", load.kept), ("new", load.new))
        if counts.lost
    ]


def _named(counts: Counts) -> str:
    numbers = ((outcome, getattr(counts, outcome)) for outcome in LOSSES)
    return ", ".join(
        f"{number} {outcome.replace('_', ' ')}" for outcome, number in numbers if number
    )
