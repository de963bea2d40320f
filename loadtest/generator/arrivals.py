"""When the requests of the open model begin. Pure."""

import math
import random
from collections.abc import Iterator
from typing import Final

from nlpserve.load_scenarios import OpenLoad

STEP_SECONDS: Final = 0.01
"""Within it the rate counts as steady."""


def arrivals(load: OpenLoad, index: int, number: int, seed: int = 1) -> Iterator[float]:
    """Seconds of one worker's arrivals: evenly spread over workers, or independent of each other.

    The area under the rate up to an arrival is its place in the row of all arrivals.
    """
    chance = random.Random(seed * 1_000_003 + index)  # noqa: S311  load, not secrets
    poisson = load.arrivals == "poisson"

    def gap() -> float:
        return number * chance.expovariate(1.0) if poisson else float(number)

    area, due = 0.0, gap() if poisson else index + 0.5
    for step in range(math.ceil(load.end / STEP_SECONDS)):
        begin = step * STEP_SECONDS
        width = min(STEP_SECONDS, load.end - begin)
        more = load.at(begin + width / 2) * width
        while more > 0 and due <= area + more:
            yield begin + (due - area) / more * width
            due += gap()
        area += more
