"""Forecasts, plans and comparisons as Markdown. Pure."""

from loadtest.autoscaling.against import MOST_ERROR, Comparison
from loadtest.autoscaling.forecast import Forecast, Spread
from loadtest.autoscaling.plan import Plan
from loadtest.report import table
from nlpserve.load_shapes import Profile


def compared(found: list[Comparison]) -> str:
    """A table of the errors."""
    rows: list[tuple[object, ...]] = [
        (
            entry.name,
            entry.mode,
            "yes" if entry.held_out else "no",
            f"{entry.recorded_minutes:.1f}",
            f"{entry.forecast_minutes:.1f}",
            f"{entry.error:+.1%}",
            entry.recorded_peak,
            _peak(entry),
            "yes" if entry.within else "NO",
        )
        for entry in found
    ]
    head = (
        "run", "mode", "held out", "replica-minutes", "forecast", "error", "peak", "forecast",
        f"within {MOST_ERROR:.0%}, peak exact",
    )  # fmt: skip
    return table(head, rows)


def _peak(entry: Comparison) -> str:
    """The most frequent; in brackets what it is at other phases of the cluster's clocks."""
    least, most = entry.forecast_peaks
    return f"{entry.forecast_peak}" + (f" ({least} to {most})" if least != most else "")


def simulated(found: Forecast, load: Profile) -> str:
    """The facts, and the timeline of the phase in the middle."""
    rows: list[tuple[object, ...]] = [
        (f"{point.second:.1f}", f"{load.at(point.second):.1f}", point.wanted, point.ready)
        for point in found.replicas
    ]
    score = found.score
    share = score.failed / score.requests if score.requests else 0.0
    facts: list[tuple[object, ...]] = [
        ("replica-minutes", _range(found.replica_minutes, 1)),
        ("peak", _range(found.peak, 0)),
        ("seconds out of objective", _range(found.out_of_objective_seconds, 1)),
        ("seconds until the objective is met again", _again(found.met_again_seconds, 1)),
        ("requests without an answer, timeline below", f"{share:.2%}"),
        ("flaps, timeline below", score.flaps),
    ]
    return "\n\n".join(
        (
            table(("", "expected (least to most, by the clocks' phases)"), facts),
            table(("second", "requests/s", "pods wanted", "ready"), rows),
        )
    )


def planned(found: Plan) -> str:
    """The numbers, and what they assume."""
    there = found.autoscaler
    workers = "unknown: not calibrated" if found.load_workers is None else found.load_workers
    rows: list[tuple[object, ...]] = [
        ("pods", f"{found.pods} with {found.pod_rate:.1f} requests/s each"),
        ("CPU", f"{found.cpu_requests:.1f} cores requested, {found.cpu_used:.1f} used"),
        ("memory", f"{found.memory_gib:.1f} GiB requested"),
        ("nodes", f"{found.nodes} with {found.pods_each_node} pods each"),
        ("load workers to test it", workers),
    ]
    if there is not None:
        rows += [
            ("autoscaler: pods", _range(there.peak, 0)),
            ("autoscaler: seconds until the objective holds", _again(there.met_again_seconds, 0)),
        ]
    lines = "\n".join(f"- {line}" for line in found.assumptions)
    return f"{table((f'for {found.rate:g} requests/s', ''), rows)}\n\n{lines}"


def _again(spread: Spread | None, digits: int) -> str:
    if spread is None:
        return "never, in some phase"
    return _range(spread, digits) if spread.most else "never missed"


def _range(spread: Spread, digits: int) -> str:
    least, most = f"{spread.least:.{digits}f}", f"{spread.most:.{digits}f}"
    expected = f"{spread.expected:.{digits}f}"
    return expected if least == most else f"{expected} ({least} to {most})"
