"""The seconds of a load, put together so that a plot of any length stays readable. Pure."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nlpserve.latency import COARSE, Histogram
from nlpserve.load_tests import LoadTestResult, Second

MOST_POINTS: Final = 300
PERCENTILES: Final = (50.0, 95.0, 99.0)
ROWS_A_DECADE: Final = 8
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Timeline:
    """One entry a point; rates are a second's."""

    step: int
    """Seconds of a point."""
    moments: Numbers
    """Middle of each."""
    wanted_users: Numbers | None
    wanted_rate: Numbers | None
    """None where nobody can know it: users who think send as fast as they are answered."""
    users: Numbers
    in_flight: Numbers
    sent: Numbers
    answered: Numbers
    failures: Numbers
    sockets: list[Numbers]
    """Of each worker, the fewest of a point's seconds."""
    latency: list[Histogram]

    def percentiles(self) -> dict[float, Numbers]:
        """Over time; NaN where nothing was answered."""
        rows = [each.percentiles(PERCENTILES) for each in self.latency]
        table = np.array(rows, dtype=float)  # None becomes NaN
        return {percent: table[:, place] for place, percent in enumerate(PERCENTILES)}

    def heat(self) -> tuple[Numbers, Numbers] | None:
        """Edges of latency in seconds, and answers a second in each cell. None without answers."""
        lows = {low for each in self.latency for low in each.counts}
        if not lows:
            return None
        first = math.floor(math.log10(max(1, min(lows))) * ROWS_A_DECADE)
        last = math.floor(math.log10(max(1, *lows)) * ROWS_A_DECADE)
        cells = np.zeros((last - first + 1, len(self.latency)))
        for column, each in enumerate(self.latency):
            for low, number in each.counts.items():
                row = math.floor(math.log10(max(1, low)) * ROWS_A_DECADE) - first
                cells[row, column] += number / self.step
        edges = 10 ** (np.arange(first, last + 2) / ROWS_A_DECADE) / 1e6
        return edges, cells


def timeline(result: LoadTestResult) -> Timeline | None:
    """None when the load never began."""
    seconds = result.timeline
    if not seconds:
        return None
    step = max(1, math.ceil(len(seconds) / MOST_POINTS))
    groups = [seconds[at : at + step] for at in range(0, len(seconds), step)]
    wanted = _means(groups, "intended")
    load = result.scenario.load
    pace = load.every_seconds if load.model == "closed" else 1.0
    workers = max(len(second.sockets) for second in seconds)
    return Timeline(
        step=step,
        moments=np.array([(group[0].second + group[-1].second + 1) / 2 for group in groups]),
        wanted_users=wanted if load.model == "closed" else None,
        wanted_rate=None if pace is None else wanted / pace,
        users=_means(groups, "users"),
        in_flight=_means(groups, "in_flight"),
        sent=_means(groups, "sent"),
        answered=_means(groups, "answered"),
        failures=_means(groups, "failures"),
        sockets=[_fewest(groups, worker) for worker in range(workers)],
        latency=[
            sum((second.latency for second in group), Histogram(bits=COARSE)) for group in groups
        ],
    )


def _means(groups: list[list[Second]], name: str) -> Numbers:
    return np.array([np.mean([getattr(second, name) for second in group]) for group in groups])


def _fewest(groups: list[list[Second]], worker: int) -> Numbers:
    return np.array(
        [
            min((s.sockets[worker] for s in group if worker < len(s.sockets)), default=math.nan)
            for group in groups
        ]
    )
