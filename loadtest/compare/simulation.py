"""How often the test is wrong: made-up runs of which the truth is known.

`python -m loadtest.compare.simulation` prints the table of docs/load-comparisons.md.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from loadtest import report
from loadtest.compare import bootstrap, measures
from loadtest.compare.judge import LEAST_BLOCKS, Limits, changes, verdict
from loadtest.compare.samples import Samples
from nlpserve.latency import COARSE, bucket
from nlpserve.load_comparisons import Comparison

PAIRS: Final = 200
REPLICATES: Final = 600


@dataclass(frozen=True)
class World:
    """How a run comes about: answers by chance, latencies about a level that remembers itself."""

    name: str
    memory: float
    """Of the level's logarithm, from one second to the next."""
    drift: float
    """Standard deviation of that level."""
    seconds: int = 300
    rate: float = 100
    slower: float = 1.0
    """B's latencies, times A's."""
    lost: float = 0.0
    """Share of B's answers that do not come."""


WORLDS: Final = (
    World("the same, no memory", 0, 0.05),
    World("the same, memory of 0.8", 0.8, 0.05),
    World("the same, memory of 0.95, 10 min", 0.95, 0.05, seconds=600),
    World("the same, memory of 0.95 and thrice the drift", 0.95, 0.15, seconds=600),
    World("slower by just the effect, memory of 0.8", 0.8, 0.05, slower=1.1),
    World("fewer answers by just the effect", 0.5, 0.05, lost=0.05),
    World("slower by a quarter, memory of 0.8", 0.8, 0.05, slower=1.25),
    World("a tenth of the answers missing", 0.5, 0.05, lost=0.1),
)


def simulate(world: World, rng: np.random.Generator) -> tuple[Samples, Samples]:
    """A pair of runs."""
    edges = sorted({bucket(int(value), COARSE) for value in np.geomspace(100, 1e7, 4_000)})
    widths = [1 << max(0, low.bit_length() - COARSE) for low in edges]
    made = []
    for slower, lost in ((1.0, 0.0), (world.slower, world.lost)):
        level = np.zeros(world.seconds)
        noise = rng.normal(0, world.drift * np.sqrt(1 - world.memory**2), world.seconds)
        level[0] = rng.normal(0, world.drift)
        for second in range(1, world.seconds):
            level[second] = world.memory * level[second - 1] + noise[second]
        answered = rng.poisson(world.rate * (1 - lost), world.seconds).astype(float)
        when = np.repeat(np.arange(world.seconds), answered.astype(int))
        latency = slower * np.exp(np.log(20_000) + level[when] + rng.normal(0, 0.4, len(when)))
        which = np.searchsorted(edges, latency, side="right") - 1
        counted = np.bincount(when * len(edges) + which, minlength=world.seconds * len(edges))
        made.append(
            Samples(
                seconds=1, answered=answered, failures=np.zeros(world.seconds),
                latencies=counted.reshape(world.seconds, -1).astype(float),
                lows=np.array(edges, dtype=float),
                highs=np.array(edges, dtype=float) + widths,
            )
        )  # fmt: skip
    return made[0], made[1]


def verdicts(world: World, pairs: int, seed: int, replicates: int) -> list[Comparison]:
    """What the test says of so many pairs."""
    found = []
    for number in range(pairs):
        a, b = simulate(world, np.random.default_rng((seed, number)))
        kept = measures.chosen(a, b)
        block = max(bootstrap.block_length(each.linear(side)) for each in kept for side in (a, b))
        if len(a.answered) < LEAST_BLOCKS * block:
            found.append(Comparison.NOT_COMPARABLE)
            continue
        limits = Limits(replicates=replicates, seed=number)
        found.append(verdict(changes(a, b, kept, block, limits))[0])
    return found


def main() -> None:
    """Print the table."""
    rows: list[tuple[object, ...]] = []
    for world in WORLDS:
        found = verdicts(world, PAIRS, 1, REPLICATES)
        rows.append((world.name, world.seconds, *(found.count(each) for each in Comparison)))
    print(report.table(("runs", "seconds", *map(str, Comparison)), rows))


if __name__ == "__main__":
    main()
