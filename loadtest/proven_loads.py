"""The proof behind docs/load-testing.md: `python -m loadtest.proven_loads --help`."""

from pathlib import Path
from typing import Annotated, Final

import typer

from loadtest import generator_cost
from loadtest.report import table
from nlpserve import pages
from nlpserve.latency import Histogram
from nlpserve.load_results import LOSSES
from nlpserve.load_scenarios import ClosedLoad
from nlpserve.load_tests import LoadTestResult

ORIGIN: Final[dict[str, tuple[tuple[str, str, str, str, str], ...]]] = {
    "origin-1000": (
        ("the origin's Flask", "1,000", "300", "62 %", "?"),
        ("the origin's Bottle", "1,000", "600", "37 %", "?"),
        ("the origin's FastAPI", "1,000", "360", "0 %", "2.3 s"),
    ),
    "origin-5000": (("the origin's FastAPI", "5,000", "crashed at 2,500 users", "", ""),),
}
"""Service, users, requests/s, failures, median: as the origin project reported them."""

BETWEEN: Final = "--"
"""Between values and scenario in a file's name."""

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


@app.command()
def collect(
    folder: Annotated[Path, typer.Argument(help="Holds VALUES/SCENARIO/result.json.")],
    out: Annotated[Path, typer.Argument(help="Folder for VALUES--SCENARIO.json.")],
) -> None:
    """Put the results where the page looks, without what only the reports draw."""
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.glob("*/*/result.json")):
        result = LoadTestResult.model_validate_json(path.read_text(encoding="utf-8"))
        name = f"{path.parent.parent.name}{BETWEEN}{path.parent.name}"
        text = short(result).model_dump_json()
        (out / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def short(result: LoadTestResult) -> LoadTestResult:
    """All but the seconds' latencies and Prometheus' lines, which are most of a result."""
    seconds = [
        second.model_copy(update={"latency": Histogram(bits=5)}) for second in result.timeline
    ]
    return result.model_copy(update={"timeline": seconds, "prometheus": []})


@app.command()
def page(
    markdown: Annotated[Path, typer.Argument(help="Page with the marked tables.")],
    results: Annotated[Path, typer.Argument(help="What `collect` wrote.")],
    check: Annotated[bool, typer.Option(help="Only say whether it is as it would be.")] = False,  # noqa: FBT002
) -> None:
    """Write the tables of the page."""
    found = {
        path.stem: LoadTestResult.model_validate_json(path.read_text(encoding="utf-8"))
        for path in sorted(results.glob("*.json"))
    }
    parts = {
        "cost": generator_cost.tables(list(found.values())),
        "shown": shown(found),
        "origin": origin(found),
    }
    pages.write(pages.renewed(markdown, parts), source=results, check=check)


HEAD: Final = (
    "load", "values", "users", "sent", "lost", "answered/s", "median", "p99", "fewest sockets",
    "verdict",
)  # fmt: skip


def shown(results: dict[str, LoadTestResult]) -> str:
    """All runs, what is against those that are no PASS, and where they were made."""
    rows = [row(name, result) for name, result in results.items()]
    reasons = [
        f"- {result.scenario.name}, {values(name)}: {reason.text}"
        for name, result in results.items()
        for reason in result.reasons
    ]
    where = list(dict.fromkeys(facts(result) for result in results.values()))
    parts = (table(HEAD, rows), *(["\n".join(reasons)] if reasons else []), *where)
    return "\n\n".join(parts)


def values(name: str) -> str:
    """The values that a run was made with, from its file's name."""
    return name.partition(BETWEEN)[0]


def row(name: str, result: LoadTestResult) -> tuple[object, ...]:
    """One run. Latencies are from the intended start, over the hold; sockets of each worker."""
    counts, achieved = result.all.counts, result.achieved
    median, slow = result.hold.intended.percentiles((50, 99))
    sockets = ", ".join(f"{worker.sockets_least:,}" for worker in result.workers)
    return (
        result.scenario.name,
        values(name),
        users(result),
        f"{counts.sent:,}",
        losses(result),
        f"{achieved.answered_rate:,.0f}" if achieved else "?",
        seconds(median),
        seconds(slow),
        sockets or "?",
        f"**{result.verdict}**",
    )


def users(result: LoadTestResult) -> str:
    """Of the hold; a dash in the open model."""
    load = result.scenario.load
    if not isinstance(load, ClosedLoad) or result.achieved is None:
        return "-"
    return f"{result.achieved.intended_users or 0:,.0f}"


def losses(result: LoadTestResult) -> str:
    """How many requests were lost, and what became of them."""
    counts = result.all.counts
    named = ", ".join(
        f"{number:,} {outcome.replace('_', ' ')}"
        for outcome in LOSSES
        if (number := getattr(counts, outcome))
    )
    return named or "0"


def seconds(value: float | None) -> str:
    """In milliseconds below one."""
    if value is None:
        return "?"
    return f"{1000 * value:.0f} ms" if value < 1 else f"{value:.1f} s"


def facts(result: LoadTestResult) -> str:
    """Where and what."""
    where = ""
    if result.cluster is not None and result.cluster.nodes:
        node = result.cluster.nodes[0]
        where = (
            f", Kubernetes {result.cluster.version}, {len(result.cluster.nodes)} node(s) of"
            f" {node.cpus} CPUs for servers, load and cluster together"
        )
    return f"Commit {result.commit[:12]}, {result.started[:10]}{where}."


def origin(results: dict[str, LoadTestResult]) -> str:
    """The origin's figures, and ours beside them."""
    rows: list[tuple[object, ...]] = []
    for scenario, theirs in ORIGIN.items():
        rows += theirs
        rows += [
            beside(name, result)
            for name, result in results.items()
            if result.scenario.name == scenario
        ]
    return table(("service", "users", "requests/s", "failures", "median"), rows)


def beside(name: str, result: LoadTestResult) -> tuple[object, ...]:
    """Ours as the origin counted: requests a second are all answers, shed ones too."""
    hold = result.hold
    counts = hold.counts
    rate = counts.ended / hold.seconds if hold.seconds else 0
    failed = counts.lost / counts.ended if counts.ended else 0
    answered = result.achieved.answered_rate if result.achieved else 0
    rates = f"{rate:,.0f}" if not counts.lost else f"{rate:,.0f}, answered {answered:,.0f}"
    return (
        f"nlpserve, {values(name)}",
        users(result),
        rates,
        f"{failed:.1%}".replace("%", " %"),
        seconds(hold.intended.percentiles((50,))[0]),
    )


if __name__ == "__main__":
    app()
