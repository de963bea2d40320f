"""The proof behind docs/zero-loss.md: `python -m loadtest.zero_loss --help`."""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from pydantic import BaseModel, ConfigDict

from loadtest.report import HEAD, row, table
from nlpserve import pages
from nlpserve.load_results import LOSSES, RolloutResult, Run

SERVER: Final = "server"


def _server(**fields: Any) -> dict[str, Any]:  # noqa: ANN401  any JSON
    """A patch of the container that answers."""
    return _pod(containers=[{"name": SERVER, **fields}])


def _pod(**fields: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"spec": {"template": {"spec": fields}}}


def _setting(name: str, value: str) -> dict[str, Any]:
    return _server(env=[{"name": name, "value": value}])


NO_PAUSE: Final = _server(lifecycle=None)
NO_DRAIN: Final = _setting("NLPSERVE_DRAIN_SECONDS", "0")
PATCHES: Final[dict[str, tuple[dict[str, Any], ...]]] = {
    "no pause before SIGTERM": (NO_PAUSE,),
    "no drain": (NO_DRAIN,),
    "no pause and no drain": (NO_PAUSE, NO_DRAIN),
    # Kubernetes takes no pause that is longer than the grace period.
    "no pause and a grace period of 1 s": (
        _pod(terminationGracePeriodSeconds=1, containers=[{"name": SERVER, "lifecycle": None}]),
    ),
    "no readiness and startup probe": (_server(readinessProbe=None, startupProbe=None),),
    "every pod may go at once": (
        {"spec": {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "100%"}}}},
    ),
}
"""Each takes a safeguard of the chart's Deployment away, as patches for kubectl."""


class Removed(BaseModel):
    """A restart without a safeguard."""

    model_config = ConfigDict(extra="forbid")

    without: str
    result: RolloutResult


class Proof(BaseModel):
    """What docs/results/zero-loss.json holds."""

    model_config = ConfigDict(extra="forbid")

    results: list[RolloutResult]
    """The chart's defaults, a model each."""
    removed: list[Removed]


app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


@app.command()
def patches(
    without: Annotated[str, typer.Argument(help="A safeguard; all are listed without it.")] = "",
) -> None:
    """Print the patches, a line of JSON each, that take a safeguard away."""
    for line in map(json.dumps, PATCHES[without]) if without else PATCHES:
        typer.echo(line)


@app.command()
def collect(
    folder: Annotated[Path, typer.Argument(help="Holds MODEL/rollout.json and without/NAME/….")],
    out: Annotated[Path, typer.Argument(help="File to write.")],
) -> None:
    """Put the results of a proof together."""
    proof = Proof(
        results=[_read(path) for path in sorted(folder.glob("*/rollout.json"))],
        removed=[
            Removed(without=name, result=_read(folder / "without" / name / "rollout.json"))
            for name in PATCHES
            if (folder / "without" / name).is_dir()
        ],
    )
    out.write_text(proof.model_dump_json(indent=1) + "\n", encoding="utf-8")


@app.command()
def page(
    markdown: Annotated[Path, typer.Argument(help="Page with the marked tables.")],
    results: Annotated[Path, typer.Argument(help="What `collect` wrote.")],
    check: Annotated[bool, typer.Option(help="Only say whether it is as it would be.")] = False,  # noqa: FBT002
) -> None:
    """Write the tables of the page."""
    proof = Proof.model_validate_json(results.read_text(encoding="utf-8"))
    parts = {"counts": counts(proof), "safeguards": safeguards(proof)}
    pages.write(pages.renewed(markdown, parts), source=results, check=check)


def _read(path: Path) -> RolloutResult:
    return RolloutResult.model_validate_json(path.read_text(encoding="utf-8"))


def counts(proof: Proof) -> str:
    """The counts with the chart's defaults, and where they were made."""
    rows = [(result.target.model, *row(run)) for result in proof.results for run in result.runs]
    return "\n\n".join((table(("model", *HEAD), rows), *map(_facts, proof.results[:1])))


def _facts(result: RolloutResult) -> str:
    node = result.cluster.nodes[0]
    return (
        f"Commit {result.commit[:12]}, {result.started[:10]}, Kubernetes {result.cluster.version},"
        f" {len(result.cluster.nodes)} node(s) of {node.cpus} CPUs, load average at the begin"
        f" {result.load_average}, {result.clients} clients, timeout {result.timeout_seconds:g} s."
    )


def safeguards(proof: Proof) -> str:
    """What is lost without each safeguard."""
    rows = [
        (removed.without, *_losses(run)) for removed in proof.removed for run in removed.result.runs
    ]
    return table(("restart with", "sent", "lost", "of these", "verdict"), rows)


def _losses(run: Run) -> tuple[object, ...]:
    if run.load is None:
        return "?", "?", "; ".join(run.reasons), run.verdict
    total = run.load.total
    numbers = ((outcome, getattr(total, outcome)) for outcome in LOSSES)
    named = ", ".join(
        f"{number} {outcome.replace('_', ' ')}" for outcome, number in numbers if number
    )
    return total.sent, total.lost, named or "-", run.verdict


if __name__ == "__main__":
    app()
