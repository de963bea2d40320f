"""A load test's result in which nothing is wrong."""

from nlpserve.latency import Histogram
from nlpserve.load_results import Counts
from nlpserve.load_scenarios import Scenario
from nlpserve.load_tests import LoadTestResult, Measured, PodFacts, Second, WorkerFacts

OPEN = {"model": "open", "shape": 20, "seconds": 50}
CLOSED = {"model": "closed", "shape": 20, "seconds": 50, "every_seconds": 1}


def scenario(load=OPEN, **given):
    content = {"name": "a", "target": {"model": "intent", "namespace": "n"}, "load": load}
    return Scenario.model_validate(content | given)


def worker(**given):
    facts = {
        "index": 0, "pod": "w", "cpu_limit": 1, "cpu_share": 0.5, "cpu_share_most": 0.6,
        "periods": 100, "throttled_periods": 1, "throttled_seconds": 0, "lag_p99": 0.01,
        "lag_most": 0.1, "sockets_least": 20, "sockets_most": 20, "connections": 20,
        "closed_idle": 0, "closed_by_answer": 0, "closed_by_plan": 0, "descriptors_most": 30,
        "descriptors_limit": 1000, "ports_most": 30, "ports_limit": 1000, "memory_most": 1,
        "counts": Counts(sent=1000, answered=1000),
    }  # fmt: skip
    return WorkerFacts(**(facts | given))


def measured(seconds=50, statuses=None, latency=0.1, **counts):
    found = Histogram()
    for _ in range(counts.get("answered", 0)):
        found.record(latency)
    if statuses is None:
        statuses = {200: counts["answered"]} if counts.get("answered") else {}
    sent = sum(counts.values())
    return Measured(
        seconds=seconds, counts=Counts(**({"sent": sent} | counts)), statuses=statuses,
        intended=found, sent=found,
    )  # fmt: skip


def pod(name, number, **given):
    facts = {"name": name, "before": {"200": 7}, "after": {"200": 7 + number}}
    return PodFacts(**(facts | given))


def timeline(users=20, seconds=50):
    return [
        Second(second=second, intended=20, users=users, answered=20) for second in range(seconds)
    ]


def result(load=OPEN, *, given_scenario=None, **given):
    facts = {
        "version": "1", "commit": "c", "run": "r", "started": "2026-01-01T00:00:00+00:00",
        "seconds": 60, "verdict": "INVALID", "scenario": scenario(load, **(given_scenario or {})),
        "load_image": "i", "hold": measured(answered=1000), "workers": [worker()],
        "pods": [pod("a", 500), pod("b", 500)], "timeline": timeline(),
    }  # fmt: skip
    return LoadTestResult(**(facts | given))
