"""What pods of several sizes hold, and several pods together: calibrations side by side. Pure."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Final

from loadtest.report import table
from nlpserve.autoscaling import Calibration, LoadPoint

HEAD: Final = (
    "calibration", "CPU limit", "pods", "batches of at most", "texts/s of a pod", "of all",
    "of a straight line", "CPU for a text", "CPU used, of the limit",
    "periods stopped at the limit", "core-hours for a million texts",
)  # fmt: skip
SECONDS: Final = 3_600
NOTHING: Final = "Not measured yet."


def markdown(found: Mapping[str, Calibration]) -> str:
    """A row for each, by its name; the straight line goes through the largest single pod."""
    singles = [each for each in found.values() if each.measured_pods == 1]
    if not singles:
        return NOTHING
    best = max(singles, key=lambda each: each.cpu_limit)
    ordered = sorted(
        found.items(), key=lambda pair: (pair[1].measured_pods, pair[1].cpu_limit, pair[0])
    )
    rows = [(name, *row(each, straight(each, singles, best))) for name, each in ordered]
    made = sorted({f"{each.commit[:12]}, {each.started[:10]}" for each in found.values()})
    objective = f"{best.objective_share:.0%} in {best.objective_seconds:g} s"
    return f"{table(HEAD, rows)}\n\n{best.model}, {objective}. Commit {'; '.join(made)}."


def straight(each: Calibration, singles: Sequence[Calibration], best: Calibration) -> float:
    """What it holds, as a share of what it would by one pod: of its own kind when there are more.

    A single pod is held against the largest one, by CPU. Of a kind that was measured several times
    the mean counts.
    """
    kind = (each.cpu_limit, each.max_batch_size)
    own = [one for one in singles if (one.cpu_limit, one.max_batch_size) == kind]
    if each.measured_pods == 1 or not own:
        own = [best]
    line = statistics.fmean(one.capacity / one.cpu_limit for one in own)
    return each.capacity / each.cpu_limit / line


def row(each: Calibration, share: float) -> tuple[object, ...]:
    """One calibration, its CPU as of the highest rate at which the objective held."""
    top = highest(each)
    return (
        f"{round(each.cpu_limit * 1000)}m",
        each.measured_pods,
        each.max_batch_size or "?",
        f"{each.capacity:.1f}",
        f"{each.capacity * each.measured_pods:.1f}",
        f"{share:.0%}",
        f"{1000 * top.cpu / top.rate:.2f} ms",
        f"{top.cpu / each.cpu_limit:.0%}",
        "not told" if top.throttled is None else f"{top.throttled:.0%}",
        f"{each.cpu_limit / each.capacity * 1e6 / SECONDS:.2f}",
    )


def highest(each: Calibration) -> LoadPoint:
    """Of the points at which the objective held; the first where there is none.

    The last of all is the pod's saturation, which a capacity may be cut to.
    """
    within = [point for point in each.points[:-1] if point.rate <= each.capacity]
    return within[-1] if within else each.points[0]
