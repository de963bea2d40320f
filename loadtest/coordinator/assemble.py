"""Puts the result together. Pure."""

import datetime
from typing import Any

from loadtest import measures, validity
from loadtest.messages import Run
from loadtest.objects import Autoscaler, Target
from nlpserve import __version__
from nlpserve.load_results import Verdict
from nlpserve.load_tests import LoadTestResult, Reason, Second, TargetState


def utc(seconds: float) -> str:
    """Unix time as ISO 8601."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.isoformat(timespec="milliseconds")


def frame(run: Run, now: float) -> dict[str, Any]:
    """What is known before anything began."""
    return {
        "version": __version__,
        "commit": run.commit,
        "run": run.name,
        "started": utc(now),
        "seconds": 0.0,
        "verdict": Verdict.INVALID,
        "scenario": run.scenario,
        "load_image": run.image,
    }


def state(
    run: Run, target: Target, autoscaler: Autoscaler | None, *, url: str, version: str
) -> TargetState:
    """What was loaded."""
    bounds = None
    if autoscaler is not None:
        bounds = f"{autoscaler.name}, {autoscaler.fewest} to {autoscaler.most} pods"
    return TargetState(
        model=run.scenario.target.model,
        model_version=version,
        artifact_sha256="",
        url=url,
        namespace=target.namespace,
        deployment=target.name,
        release=target.release,
        image=target.image,
        values_hash=target.template_hash,
        environment=target.environment,
        resources=target.resources,
        autoscaler=bounds,
    )


def progress(second: Second, end: float, ready: int) -> dict[str, object]:
    """One line of progress."""
    p95 = second.latency.percentile(95)
    return {
        "phase": "load",
        "second": second.second,
        "end": end,
        "users": second.users,
        "sent": second.sent,
        "answered": second.answered,
        "failures": second.failures,
        "p95": p95,
        "sockets": sum(second.sockets),
        "replicas": ready,
    }


def judged(result: LoadTestResult, reasons: list[Reason]) -> LoadTestResult:
    """The result with all that follows from its facts."""
    result.achieved = measures.achieved(result)
    result.agreement = measures.agreement(result)
    result.objectives = measures.objectives(result)
    result.verdict, result.reasons = validity.judge(result, reasons)
    return result
