"""What the generator itself costs, read off results: `python -m loadtest cost RESULT...`."""

import math
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import typer

from loadtest.report import table
from nlpserve.load_tests import LoadTestResult

BUSY: Final = 0.5
"""Share of a core that a worker is planned for: above it, it may be late."""
MOST_SOCKETS: Final = 18_000
"""Of a pod: nine tenths of the 20,000 descriptors that a pod often has."""
HEAD: Final = (
    "scenario", "model", "workers", "users", "requests/s", "CPU a request ms",
    "requests/s of a core", "MiB a worker", "KiB a user", "lag p99 ms",
)  # fmt: skip
RATES: Final = (100, 500, 1_000, 2_500, 5_000, 10_000)
USERS: Final = (1_000, 10_000, 25_000, 50_000, 100_000)


class Cost(NamedTuple):
    """Of one result."""

    cpu: float
    """Seconds a request."""
    of_a_core: float
    """Requests a second that would fill one."""


def cost(result: LoadTestResult) -> Cost:
    """Over the hold. Raises ValueError when nothing ran."""
    sent = result.hold.counts.sent
    used = sum(
        worker.cpu_share * worker.cpu_limit * result.hold.seconds for worker in result.workers
    )
    if not sent or not used:
        raise ValueError(f"{result.run} sent nothing after its rise")
    return Cost(used / sent, sent / used)


def row(result: LoadTestResult) -> tuple[object, ...]:
    """A line of the table."""
    found = cost(result)
    users = max((second.users for second in result.timeline), default=0)
    memory = max(worker.memory_most for worker in result.workers)
    share = memory * len(result.workers) / users / 1024 if users else None
    return (
        result.scenario.name,
        result.scenario.load.model,
        len(result.workers),
        users or "-",
        f"{result.hold.counts.sent / result.hold.seconds:.0f}",
        f"{1000 * found.cpu:.2f}",
        f"{found.of_a_core:.0f}",
        f"{memory / 2**20:.0f}",
        "-" if share is None else f"{share:.0f}",
        f"{1000 * max(worker.lag_p99 for worker in result.workers):.0f}",
    )


def workers(of_a_core: float, rate: float, users: int = 0) -> int:
    """How many for a rate and so many users, each on a core of its own."""
    return max(1, math.ceil(rate / (BUSY * of_a_core)), math.ceil(users / MOST_SOCKETS))


def needed(results: list[LoadTestResult]) -> str:
    """How many workers a rate or a number of users needs, by the dearest of the results."""
    least = min(cost(result).of_a_core for result in results)
    rates = [(f"{rate} requests/s", workers(least, rate)) for rate in RATES]
    crowd = [
        (f"{users} users, one request a minute each", workers(least, users / 60, users))
        for users in USERS
    ]
    return table(("load", "workers"), [*rates, *crowd])


def tables(results: list[LoadTestResult]) -> str:
    """What each cost, and what that means for other loads."""
    return "\n\n".join((table(HEAD, [row(result) for result in results]), needed(results)))


def command(
    results: Annotated[list[Path], typer.Argument(help="Files that `run` wrote: result.json.")],
) -> None:
    """Print what a request cost the generator, and how many workers a load needs."""
    read = [
        LoadTestResult.model_validate_json(path.read_text(encoding="utf-8")) for path in results
    ]
    typer.echo(tables(read))
