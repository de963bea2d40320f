"""The command line: options in, a verdict and its files out."""

import datetime
import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from loadtest import (
    calibrate_command,
    forecast_commands,
    generator_cost,
    report,
    run_command,
    scorecard_command,
    signals,
)
from loadtest.cluster import Cluster, ClusterError
from loadtest.commit import commit
from loadtest.compare import command as compare
from loadtest.load_report import command as load_report
from loadtest.rollout import Interrupted, Runner
from loadtest.spec import LOAD_IMAGE, RolloutSpec, SpecError, explain
from loadtest.stress import command as stress
from loadtest.target import find_target
from nlpserve import __version__
from nlpserve.load_results import Disruption, RolloutResult, Run, TargetFacts, Verdict, worst

app = typer.Typer(add_completion=False, no_args_is_help=True)
app.command()(run_command.run)
app.command()(run_command.clean)
app.command("cost")(generator_cost.command)
forecast_commands.add_to(app)
calibrate_command.add_to(app)
scorecard_command.add_to(app)
stress.add_to(app)
load_report.add_to(app)
compare.add_to(app)
FAILED = 2
INTERRUPTED = 130


@app.callback()
def commands() -> None:
    """Load tests from inside the cluster. Exit code 0 PASS, 1 FAIL, 2 INVALID or not run."""


class Bar:
    """A progress bar on a terminal, nothing elsewhere."""

    def __init__(self, progress: Progress) -> None:
        """One bar for all runs."""
        self._progress = progress
        self._task = progress.add_task("starting", total=None)

    def show(self, what: str, sent: int, requests: int) -> None:
        """How far it is."""
        self._progress.update(self._task, description=what, completed=sent, total=requests)


@contextmanager
def bar() -> Iterator[Bar]:
    """On standard error, gone at the end."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        yield Bar(progress)


@app.command()
def rollout(  # noqa: PLR0917  Typer's way
    model: Annotated[str, typer.Option(help="Name of a model of the chart.")],
    requests: Annotated[int, typer.Option(help="Requests for each disruption and repeat.")],
    out: Annotated[Path, typer.Option(help="Folder for rollout.json and rollout.md.")],
    repeat: Annotated[int, typer.Option(help="How often each disruption is done.")] = 1,
    seconds: Annotated[
        float, typer.Option(help="How long the requests of one run take; the disruption must fit.")
    ] = 100,
    disruption: Annotated[
        list[Disruption] | None, typer.Option(help="Which; all of them when none is named.")
    ] = None,
    namespace: Annotated[
        str | None, typer.Option(help="The model's namespace; else the context's.")
    ] = None,
    release: Annotated[
        str | None, typer.Option(help="Helm release, when several have the model.")
    ] = None,
    load_namespace: Annotated[
        str, typer.Option(help="Namespace of the load's Job; k8s/loadtest has it.")
    ] = "loadtest",
    scale_from: Annotated[int, typer.Option(help="Pods before a scale-down to one.")] = 3,
    clients: Annotated[int, typer.Option(help="Clients; half of them keep connections.")] = 64,
    timeout: Annotated[float, typer.Option(help="Seconds that a client waits for an answer.")] = 10,
    image: Annotated[str, typer.Option(help="The load's image.")] = LOAD_IMAGE,
    pull_secret: Annotated[
        list[str] | None, typer.Option(help="Secret of the load's namespace to pull it with.")
    ] = None,
    context: Annotated[str | None, typer.Option(help="Context of the kubeconfig.")] = None,
) -> None:
    """Restart, scale down and delete pods under steady load, and count every request.

    PASS when none was lost, FAIL when one was, INVALID when it cannot be told.
    """
    began = time.monotonic()
    started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    cluster = Cluster(context)
    try:
        spec = RolloutSpec(
            model=model,
            namespace=namespace or cluster.namespace,
            release=release,
            load_namespace=load_namespace,
            requests=requests,
            seconds=seconds,
            repeat=repeat,
            disruptions=tuple(disruption or Disruption),
            scale_from=scale_from,
            clients=clients,
            timeout_seconds=timeout,
            image=image,
            pull_secrets=tuple(pull_secret or ()),
        )
    except ValidationError as error:
        raise explain(error) from None
    target = find_target(cluster, spec)
    typer.echo(f"{target.namespace}/{target.name} on cluster {cluster.context}")
    where = cluster.facts()
    load_average = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    runs: list[Run] = []
    try:
        with bar() as watcher:
            for run in Runner(cluster, spec, target, watcher).runs():
                runs.append(run)
                _tell(run, spec)
    except KeyboardInterrupt as interruption:
        left = interruption.left if isinstance(interruption, Interrupted) else []
        undone = "the Job is deleted and the target is as it was"
        said = "\n".join(("some of it could not be undone:", *left)) if left else undone
        sys.stderr.write(f"interrupted; {said}\n")
        raise typer.Exit(INTERRUPTED) from None
    result = RolloutResult(
        version=__version__,
        commit=commit(),
        started=started,
        seconds=round(time.monotonic() - began, 1),
        load_average=load_average,
        target=TargetFacts(
            model=spec.model,
            namespace=target.namespace,
            deployment=target.name,
            image=target.image,
            pre_stop_seconds=target.pre_stop_seconds,
            grace_seconds=target.grace_seconds,
            environment=target.environment,
        ),
        cluster=where,
        load_image=spec.image,
        clients=spec.clients,
        timeout_seconds=spec.timeout_seconds,
        runs=runs,
        verdict=worst([run.verdict for run in runs]),
    )
    _write(result, out)
    typer.echo(f"{result.verdict}: {out / 'rollout.md'}")
    raise typer.Exit(result.verdict.exit_code)


def _tell(run: Run, spec: RolloutSpec) -> None:
    line = f"{run.verdict:7} {run.disruption} {run.repeat}/{spec.repeat}"
    if run.load is not None:
        total = run.load.total
        line += f": {total.sent} sent, {total.answered} answered, {total.lost} lost"
    typer.echo(line)
    for reason in run.reasons:
        typer.echo(f"        {reason}")


def _write(result: RolloutResult, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "rollout.json").write_text(result.model_dump_json(indent=2) + "\n", encoding="utf-8")
    (out / "rollout.md").write_text(report.rollout(result), encoding="utf-8")


def main() -> int:
    """Ends with the verdict's exit code; 2 when there is none, 130 when it was interrupted."""
    signals.interrupt()
    try:
        app()
    except (ClusterError, SpecError) as error:
        sys.stderr.write(f"{Verdict.INVALID}: {error}\n")
    except Exception:  # noqa: BLE001  Python's own 1 would say FAIL, or REGRESSION
        traceback.print_exc()
    return FAILED
