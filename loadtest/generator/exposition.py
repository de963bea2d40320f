"""A worker's metrics, as Prometheus reads them. Pure."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from loadtest.messages import Plan
from nlpserve import load_metrics as names
from nlpserve.latency import Histogram
from nlpserve.load_results import Outcome
from nlpserve.load_scenarios import ClosedLoad
from nlpserve.load_tests import Measured, Second

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds: upper ends of the exported buckets."""


def answer(text: str) -> bytes:
    """The HTTP answer to whatever is asked."""
    body = text.encode()
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


class Sample(NamedTuple):
    """A worker at one moment."""

    second: Second | None
    """The last whole one."""
    whole: Measured
    """All requests by now."""
    cpu: float
    """Share of what it may use."""
    lag: float
    """Seconds."""


def render(plan: Plan, sample: Sample) -> str:
    """All metrics."""
    values = (plan.scenario.name, plan.run, str(plan.index))
    labels = dict(zip(names.LABELS, values, strict=True))
    return "\n".join(_lines(plan, labels, sample)) + "\n"


def _lines(plan: Plan, labels: dict[str, str], sample: Sample) -> Iterator[str]:
    load, second, whole = plan.scenario.load, sample.second, sample.whole
    intended = 0.0 if second is None else second.intended
    if isinstance(load, ClosedLoad):  # how often users come depends on the answers, too
        pace = load.every_seconds or load.think_seconds.mean
        intended = intended / pace if pace else 0.0
    gauges = {
        names.USERS: 0 if second is None else second.users,
        names.INTENDED_RATE: intended,
        names.OPEN_CONNECTIONS: 0 if second is None else sum(second.sockets),
        names.CPU_RATIO: sample.cpu,
        names.LOOP_LAG: sample.lag,
    }
    for name, value in gauges.items():
        yield f"# TYPE {name} gauge"
        yield f"{name}{_text(labels)} {value}"
    yield f"# TYPE {names.REQUESTS}_total counter"
    for outcome in Outcome:
        number = getattr(whole.counts, outcome)
        yield f"{names.REQUESTS}_total{_text(labels | {names.OUTCOME: str(outcome)})} {number}"
    yield from _histogram(labels, whole.intended)


def _histogram(labels: dict[str, str], found: Histogram) -> Iterator[str]:
    name = names.LATENCY
    yield f"# TYPE {name} histogram"
    ordered = sorted(found.counts.items())
    for bound in BOUNDS:
        number = sum(count for low, count in ordered if low <= bound * 1e6)
        yield f"{name}_bucket{_text(labels | {'le': str(bound)})} {number}"
    yield f"{name}_bucket{_text(labels | {'le': '+Inf'})} {found.number}"
    yield f"{name}_sum{_text(labels)} {found.total / 1e6}"
    yield f"{name}_count{_text(labels)} {found.number}"


def _text(labels: dict[str, str]) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"
