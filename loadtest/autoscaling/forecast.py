"""What to expect: the simulation with the cluster's clocks at different phases.

When the autoscaler, metrics-server and Prometheus look is chance, and it shifts a decision by up to
a period; so a forecast is the average over phases, with the least and the most.
"""

from collections import Counter
from collections.abc import Callable
from typing import Final

from pydantic import Field

from loadtest.autoscaling.simulation import Outcome, Phases, World, simulate
from nlpserve.autoscale_results import PodCount, Score
from nlpserve.load_results import Facts

PHASES: Final = 12
STRIDES: Final = {"sync": 1, "metrics": 5, "scrape": 7, "poll": 11}
"""None shares a factor with the number of phases, so that each clock is at each of its phases."""


class Spread(Facts):
    """A number over all phases."""

    expected: float
    least: float
    most: float


class Forecast(Facts):
    """Of one shape."""

    replica_minutes: Spread
    """Expected: the mean."""
    peak: Spread
    """Expected: the most frequent, of two such the higher."""
    out_of_objective_seconds: Spread
    met_again_seconds: Spread | None
    """0: it was never missed. None: in some phase it was never met again."""
    replicas: list[PodCount] = Field(min_length=1)
    """The timeline of the phase in the middle by replica-minutes."""
    score: Score
    """Of that timeline."""


def forecast(
    world: World, rate: Callable[[float], float], seconds: float, *, begin: int | None = None
) -> Forecast:
    """As `simulate`, over all phases."""
    outcomes = [
        simulate(world, rate, seconds, begin=begin, phases=_phases(number, world))
        for number in range(PHASES)
    ]
    outcomes.sort(key=lambda outcome: outcome.score.replica_minutes)
    middle = outcomes[(PHASES - 1) // 2]
    met_again = [_met_again(outcome.score) for outcome in outcomes]
    return Forecast(
        replica_minutes=_spread([outcome.score.replica_minutes for outcome in outcomes]),
        peak=_peak(outcomes),
        out_of_objective_seconds=_spread(
            [outcome.score.out_of_objective_seconds for outcome in outcomes]
        ),
        met_again_seconds=None
        if None in met_again
        else _spread([second for second in met_again if second is not None]),
        replicas=middle.replicas,
        score=middle.score,
    )


def _met_again(score: Score) -> float | None:
    return score.met_again_seconds if score.out_of_objective_seconds else 0.0


def _phases(number: int, world: World) -> Phases:
    keda = world.autoscaler.keda
    periods = {
        "sync": world.timing.sync_seconds,
        "metrics": world.timing.metrics_seconds,
        "scrape": world.timing.scrape_seconds,
        "poll": keda.polling_interval if keda else 1.0,
    }
    return Phases(
        seed=number,
        **{
            name: number * STRIDES[name] % PHASES / PHASES * period
            for name, period in periods.items()
        },
    )


def _spread(values: list[float]) -> Spread:
    return Spread(expected=sum(values) / len(values), least=min(values), most=max(values))


def _peak(outcomes: list[Outcome]) -> Spread:
    counted = Counter(outcome.score.peak for outcome in outcomes)
    likely = max(counted, key=lambda peak: (counted[peak], peak))
    return Spread(expected=likely, least=min(counted), most=max(counted))
