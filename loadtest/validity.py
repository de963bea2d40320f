"""Whether a load test tells anything about the target, and if so, what. Pure: facts in, words out.

Validity comes before the verdict: a run that could not tell is INVALID, never PASS, and FAIL only
says something when the load was what it was meant to be.
"""

from collections.abc import Iterator
from typing import Final

from nlpserve.load_results import Verdict
from nlpserve.load_tests import (
    LoadTestResult,
    ObjectiveResult,
    PodFacts,
    Reason,
    ReasonCode,
    WorkerFacts,
)

FEWEST_FOR_SKEW: Final = 200
"""Requests a pod; below it chance alone makes shares differ."""


def judge(result: LoadTestResult, known: list[Reason]) -> tuple[Verdict, list[Reason]]:
    """`known` are what went wrong with the run itself. All reasons, those for INVALID first."""
    invalid = [*known, *invalid_reasons(result)] if result.workers or not known else [*known]
    failed = [
        Reason(code=ReasonCode.OBJECTIVE, text=_missed(objective))
        for objective in result.objectives
        if not objective.met
    ]
    if invalid:
        return Verdict.INVALID, invalid + failed
    return (Verdict.FAIL, failed) if failed else (Verdict.PASS, [])


def _missed(objective: ObjectiveResult) -> str:
    bound = "at most" if objective.bound == "most" else "at least"
    unit = {"s": " s", "ratio": "", "1/s": " a second"}[objective.unit]
    measured = "nothing to measure" if objective.measured is None else f"{objective.measured:.6g}"
    return f"{objective.name}: {measured}{unit}, {bound} {objective.limit:g}{unit} was wanted"


def invalid_reasons(result: LoadTestResult) -> list[Reason]:
    """Every reason why the numbers tell nothing about the target."""
    found = [reason for worker in result.workers for reason in _worker(result, worker)]
    return [*found, *_intent(result), *_pods(result), *_counts(result)]


def _worker(result: LoadTestResult, worker: WorkerFacts) -> Iterator[Reason]:
    limits, who = result.scenario.validity, f"worker {worker.index}"

    def reason(code: ReasonCode, text: str) -> Reason:
        return Reason(code=code, text=f"{who} {text}")

    if worker.cpu_share > limits.most_cpu:
        yield reason(
            ReasonCode.WORKER_CPU,
            f"used {worker.cpu_share:.0%} of its CPU, more than {limits.most_cpu:.0%}:"
            " give the load more workers",
        )
    if worker.periods and worker.throttled_periods / worker.periods > limits.most_throttled:
        share = worker.throttled_periods / worker.periods
        yield reason(
            ReasonCode.WORKER_THROTTLED,
            f"was held back by its CPU limit in {share:.0%} of the periods, more than"
            f" {limits.most_throttled:.0%}: raise workers.cpu",
        )
    if worker.lag_p99 > limits.most_lag_seconds:
        yield reason(
            ReasonCode.WORKER_LAG,
            f"was late by {worker.lag_p99:.3f} s (99th percentile), more than"
            f" {limits.most_lag_seconds:g} s: its node has too much to do",
        )
    if worker.ports_most > limits.most_ports * worker.ports_limit:
        yield reason(
            ReasonCode.PORTS,
            f"used {worker.ports_most} of {worker.ports_limit} ports: give the load more workers",
        )
    if worker.descriptors_most > limits.most_descriptors * worker.descriptors_limit:
        yield reason(
            ReasonCode.DESCRIPTORS,
            f"used {worker.descriptors_most} of {worker.descriptors_limit} file descriptors: give"
            " the load more workers",
        )


def _intent(result: LoadTestResult) -> Iterator[Reason]:
    limits, achieved = result.scenario.validity, result.achieved
    if achieved is None:
        return
    intended = achieved.intended_requests
    if intended is not None and achieved.sent < limits.least_rate * intended:
        yield Reason(
            code=ReasonCode.RATE_MISSED,
            text=f"{achieved.sent} of {intended:.0f} intended requests were sent, less than"
            f" {limits.least_rate:.0%}",
        )
    share = achieved.least_user_share
    if share is not None and share < limits.least_users:
        yield Reason(
            code=ReasonCode.USERS_MISSED,
            text=f"in one second only {share:.1%} of the intended users were there, less than"
            f" {limits.least_users:.0%}",
        )
    if not achieved.sent:
        yield Reason(code=ReasonCode.SPARED, text="nothing was sent after the rise")


def _pods(result: LoadTestResult) -> Iterator[Reason]:
    expected = result.scenario.expected
    came = [pod.name for pod in result.pods if pod.first_second is not None]
    went = [pod.name for pod in result.pods if pod.last_second is not None]
    restarted = [pod.name for pod in result.pods if pod.restarts]
    if restarted:
        yield Reason(
            code=ReasonCode.PODS_CHANGED, text=f"containers restarted: {', '.join(restarted)}"
        )
    if (came or went) and not expected:
        yield Reason(
            code=ReasonCode.PODS_CHANGED,
            text=f"{len(came)} pods of the target came and {len(went)} went, and the scenario"
            " expects neither (expected: [scaling] or [rollout])",
        )
    if not came and not went and not restarted:
        yield from _skew(result, result.pods)


def _skew(result: LoadTestResult, pods: list[PodFacts]) -> Iterator[Reason]:
    counted = {pod.name: sum(pod.counted.values()) for pod in pods}
    total = sum(counted.values())
    if len(pods) < 2 or total < FEWEST_FOR_SKEW * len(pods):
        return
    name = max(counted, key=lambda pod: counted[pod])
    ratio = counted[name] * len(pods) / total
    if ratio > result.scenario.validity.most_skew:
        yield Reason(
            code=ReasonCode.SKEWED,
            text=f"{name} got {ratio:.2f} times an equal share of the requests, more than"
            f" {result.scenario.validity.most_skew:g}: recycle connections (connections.requests"
            " or .seconds)",
        )


def _counts(result: LoadTestResult) -> Iterator[Reason]:
    counts, found = result.all.counts, result.agreement
    if counts.sent != counts.ended:
        yield Reason(
            code=ReasonCode.COUNTS_DISAGREE,
            text=f"{counts.sent} requests were sent and {counts.ended} ended",
        )
    if found is None:
        return
    if found.dead_pods and not found.missing <= result.scenario.validity.most_uncounted:
        yield Reason(
            code=ReasonCode.COUNTS_MISSING,
            text=f"{found.dead_pods} pods ended without a word, and {found.missing} answers are in"
            " no pod's counters",
        )
    elif found.missing > result.scenario.validity.most_uncounted:
        yield Reason(
            code=ReasonCode.COUNTS_DISAGREE,
            text=f"{found.missing} answers that the client got are in no pod's counters",
        )
    if found.foreign > result.scenario.validity.most_uncounted:
        yield Reason(
            code=ReasonCode.COUNTS_DISAGREE,
            text=f"the pods counted {found.foreign} requests that are not the load's: something"
            " else used the target",
        )
