"""Forecasts beside what real clusters did."""

from collections.abc import Sequence
from typing import Final

from loadtest.autoscaling.forecast import forecast
from loadtest.autoscaling.simulation import World
from nlpserve.autoscale_results import AutoscaleRecord
from nlpserve.load_results import Facts

MOST_ERROR: Final = 0.15
"""Of the replica-minutes; the peak has to be exact."""
LEAST_RUNS: Final = 6
LEAST_HELD_OUT: Final = 3
"""So many runs, and so many kept out of all fixing, have to be compared for the aim to be shown."""


class Comparison(Facts):
    """One recorded run and its forecast."""

    name: str
    mode: str
    held_out: bool
    recorded_minutes: float
    forecast_minutes: float
    error: float
    """Of the replica-minutes, as a share of the recorded ones; above 0: forecast too high."""
    recorded_peak: int
    forecast_peak: int
    forecast_peaks: tuple[int, int]
    """Least and most, over the phases of the cluster's clocks."""
    within: bool
    """Whether both are within the aim."""


def too_few(found: Sequence[Comparison]) -> str:
    """What is missing for the aim to be shown; empty: nothing."""
    held_out = sum(entry.held_out for entry in found)
    if len(found) >= LEAST_RUNS and held_out >= LEAST_HELD_OUT:
        return ""
    return (
        f"{len(found)} runs, {held_out} of them held out: {LEAST_RUNS} and {LEAST_HELD_OUT} are"
        " wanted before the aim counts as shown"
    )


def compare(record: AutoscaleRecord) -> Comparison:
    """What the simulator says to the settings and the load of a run."""
    world = World(record.autoscaler, record.calibration, record.timing)
    begin = record.replicas[0].wanted
    found = forecast(world, record.load.at, record.seconds, begin=begin)
    recorded = record.score.replica_minutes
    error = (found.replica_minutes.expected - recorded) / recorded
    peak = round(found.peak.expected)
    return Comparison(
        name=record.name,
        mode=record.autoscaler.mode,
        held_out=record.held_out,
        recorded_minutes=recorded,
        forecast_minutes=found.replica_minutes.expected,
        error=error,
        recorded_peak=record.score.peak,
        forecast_peak=peak,
        forecast_peaks=(round(found.peak.least), round(found.peak.most)),
        within=abs(error) <= MOST_ERROR and peak == record.score.peak,
    )
