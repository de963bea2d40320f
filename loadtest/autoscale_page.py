"""The measured parts of docs/autoscaling.md: `python -m loadtest.autoscale_page --help`."""

from pathlib import Path
from typing import Annotated

import typer

from loadtest import forecast_report
from loadtest.autoscaling.against import compare
from loadtest.report import table
from loadtest.scorecard_command import CARD, shown
from nlpserve import pages
from nlpserve.autoscale_results import AutoscaleRecord

app = typer.Typer(add_completion=False, help=__doc__)


@app.command()
def page(
    markdown: Annotated[Path, typer.Argument(help="Page with the marked parts.")],
    results: Annotated[Path, typer.Argument(help="Folder of recorded runs.")],
    check: Annotated[bool, typer.Option(help="Only say whether it is as it would be.")] = False,  # noqa: FBT002
) -> None:
    """Write the tables of the page."""
    paths = sorted(results.glob("*.json"))
    records = [
        AutoscaleRecord.model_validate_json(path.read_text(encoding="utf-8")) for path in paths
    ]
    parts = {"cards": cards(records), "against": against(records)}
    pages.write(pages.renewed(markdown, parts), source=results, check=check)


def cards(records: list[AutoscaleRecord]) -> str:
    """All runs side by side, and where they were made."""
    head = ("", *(record.name for record in records))
    rows: list[tuple[object, ...]] = [
        (words, *(shown(record, name) for record in records)) for words, name in CARD
    ]
    return "\n\n".join((table(head, rows), *map(facts, records[:1])))


def facts(record: AutoscaleRecord) -> str:
    """What one pod holds, and the cluster."""
    pod = record.calibration
    where = ""
    if record.cluster is not None:
        where = f", Kubernetes {record.cluster.version}, {len(record.cluster.nodes)} node(s)"
        where += f" of {record.cluster.nodes[0].cpus} CPUs" if record.cluster.nodes else ""
    return (
        f"Commit {record.commit[:12]}, {record.started[:10]}{where}; one pod of {pod.model} with"
        f" {pod.cpu_limit:g} CPU holds {pod.capacity:.1f} requests/s ({pod.objective_share:.0%} in"
        f" {pod.objective_seconds:g} s) and is ready after {pod.ready_seconds:g} s."
    )


def against(records: list[AutoscaleRecord]) -> str:
    """The simulator beside the runs."""
    return forecast_report.compared([compare(record) for record in records])


if __name__ == "__main__":
    app()
