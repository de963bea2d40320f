"""The measured parts of docs/autoscaling.md: `python -m loadtest.autoscale_page --help`."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

import typer

from loadtest import capacity_table, forecast_report, proven_loads
from loadtest.autoscaling import card
from loadtest.autoscaling.against import compare
from loadtest.report import table
from loadtest.scorecard_command import CARD, shown
from nlpserve import pages
from nlpserve.autoscale_results import AutoscaleRecord
from nlpserve.autoscaling import Calibration
from nlpserve.load_tests import LoadTestResult

CAPACITY: Final = "capacity"
"""Folder of calibrations, within that of the runs; in it one of load tests at shares of them."""

EARLIER: Final = "earlier"
"""Folder of earlier series of runs, each in a folder of its own."""

app = typer.Typer(add_completion=False, help=__doc__)


@app.command()
def page(
    markdown: Annotated[Path, typer.Argument(help="Page with the marked parts.")],
    results: Annotated[Path, typer.Argument(help="Folder of recorded runs.")],
    check: Annotated[bool, typer.Option(help="Only say whether it is as it would be.")] = False,  # noqa: FBT002
) -> None:
    """Write the tables of the page."""
    records = recorded(results.glob("*.json"))
    earlier = {
        folder.name: recorded(folder.glob("*.json"))
        for folder in sorted((results / EARLIER).glob("*"))
    }
    today = [each.model_copy(update={"score": card.again(each)}) for each in records]
    sizes = {
        path.stem: Calibration.model_validate_json(path.read_text(encoding="utf-8"))
        for path in sorted((results / CAPACITY).glob("*.json"))
    }
    loads = {
        path.stem: LoadTestResult.model_validate_json(path.read_text(encoding="utf-8"))
        for path in sorted((results / CAPACITY / "loads").glob("*.json"))
    }
    parts = {
        "cards": cards(today),
        "against": against(records),
        "earlier": against(
            [
                each.model_copy(update={"name": f"{name}/{each.name}"})
                for name, series in earlier.items()
                for each in series
            ]
        ),
        "capacity": capacity_table.markdown(sizes),
        "independent": proven_loads.shown(loads) if loads else capacity_table.NOTHING,
    }
    pages.write(pages.renewed(markdown, parts), source=results, check=check)


def recorded(paths: Iterable[Path]) -> list[AutoscaleRecord]:
    """The runs of some files, in the order of their names."""
    return [
        AutoscaleRecord.model_validate_json(path.read_text(encoding="utf-8"))
        for path in sorted(paths)
    ]


def cards(records: list[AutoscaleRecord]) -> str:
    """All runs side by side, and where each was made."""
    head = ("", *(record.name for record in records))
    rows: list[tuple[object, ...]] = [
        (words, *(shown(record, name) for record in records)) for words, name in CARD
    ]
    made = "\n".join(f"- {record.name}: {facts(record)}" for record in records)
    return f"{table(head, rows)}\n\n{made}"


def facts(record: AutoscaleRecord) -> str:
    """What one pod holds, and the cluster."""
    pod = record.calibration
    where = ""
    if record.cluster is not None:
        where = f", Kubernetes {record.cluster.version}, {len(record.cluster.nodes)} node(s)"
        where += f" of {record.cluster.nodes[0].cpus} CPUs" if record.cluster.nodes else ""
    return (
        f"commit {shortened(record.commit)}, {record.started[:10]}{where}; one pod of {pod.model}"
        f" with {pod.cpu_limit:g} CPU holds {pod.capacity:.1f} requests/s"
        f" ({pod.objective_share:.0%} in {pod.objective_seconds:g} s) and is ready"
        f" after {pod.ready_seconds:g} s."
    )


def shortened(commit: str) -> str:
    """The commit, and whether the files were others."""
    head, _, changed = commit.partition(" ")
    return f"{head[:12]} {changed}".rstrip()


def against(records: list[AutoscaleRecord]) -> str:
    """The simulator beside the runs."""
    return forecast_report.compared([compare(record) for record in records])


if __name__ == "__main__":
    app()
