"""`python -m loadtest run` and `clean`: options in, files and an exit code out."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import yaml  # type: ignore[import-untyped]
from rich.console import Console
from rich.status import Status

from loadtest import runner, scenario_file
from loadtest.cluster import Cluster
from loadtest.load_report import command as load_report
from loadtest.spec import LOAD_IMAGE
from nlpserve.load_tests import LoadTestResult

INTERRUPTED: Final = 130
LOAD_NAMESPACE: Final = "loadtest"


class Live:
    """One line on a terminal that says how far it is, nothing elsewhere."""

    def __init__(self, status: Status | None) -> None:
        """None: nobody watches."""
        self._status = status

    def show(self, progress: dict[str, Any]) -> None:
        """What the coordinator said last."""
        if self._status is not None:
            self._status.update(words(progress))


def words(progress: dict[str, Any]) -> str:
    """A line of progress for a person."""
    if progress.get("phase") != "load":
        return str(progress.get("phase", ""))
    p95 = progress["p95"]
    slow = "p95 -" if p95 is None else f"p95 {1000 * p95:.0f} ms"
    users = f"{progress['users']} users, " if progress["users"] else ""
    return (
        f"{progress['second'] + 1} of {progress['end']:.0f} s: {users}"
        f"{progress['sent']} requests/s, {progress['failures']} failures, {slow},"
        f" {progress['sockets']} sockets, {progress['replicas']} pods"
    )


@contextmanager
def live() -> Iterator[Live]:
    """On standard error, gone at the end."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Live(None)
        return
    with console.status("starting") as status:
        yield Live(status)


def run(  # noqa: PLR0917  Typer's way
    scenario: Annotated[
        str, typer.Argument(help=f"A file, or one of: {', '.join(scenario_file.names())}.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for result.json and its reports.")] = Path(
        "out"
    ),
    namespace: Annotated[
        str | None, typer.Option(help="The model's namespace; else the scenario's or context's.")
    ] = None,
    release: Annotated[
        str | None, typer.Option(help="Helm release, when several have the model.")
    ] = None,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change a field of the scenario: load.seconds=60. Repeatable."),
    ] = None,
    load_namespace: Annotated[
        str, typer.Option(help="Namespace of the load's pods; k8s/loadtest has it.")
    ] = LOAD_NAMESPACE,
    image: Annotated[str, typer.Option(help="The load's image.")] = LOAD_IMAGE,
    context: Annotated[str | None, typer.Option(help="Context of the kubeconfig.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave Jobs and pods in place.")] = False,  # noqa: FBT002
    render: Annotated[  # noqa: FBT002
        bool, typer.Option("--render", help="Only print what `kubectl apply` needs for this run.")
    ] = False,
) -> None:
    """Load a model from Jobs in the cluster; one verdict. Exit code 0 PASS, 1 FAIL, 2 INVALID."""
    changes = list(change or [])
    if namespace is not None:
        changes.append(f"target.namespace={namespace}")
    if release is not None:
        changes.append(f"target.release={release}")
    wanted, texts = scenario_file.read(scenario, changes)
    cluster = Cluster(context)
    try:
        with live() as watcher:
            made = runner.Runner(cluster, wanted, texts, load_namespace, image, watcher, keep)
            if render:
                typer.echo(yaml.safe_dump_all(made.manifests(), sort_keys=False))
                return
            made.check()
            result = made.go()
    except KeyboardInterrupt:
        left = (
            "goes on (--keep); `python -m loadtest clean --all` deletes it"
            if keep
            else "is deleted"
        )
        sys.stderr.write(f"interrupted; what it made in the cluster {left}\n")
        raise typer.Exit(INTERRUPTED) from None
    write(result, out)
    tell(result, out)
    raise typer.Exit(result.verdict.exit_code)


def write(result: LoadTestResult, out: Path) -> None:
    """The files of a result."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "result.json").write_text(result.model_dump_json(indent=1) + "\n", encoding="utf-8")
    load_report.write(result, out)


def tell(result: LoadTestResult, out: Path) -> None:
    """What a person wants to know at once."""
    counts, achieved = result.all.counts, result.achieved
    typer.echo(f"{result.verdict}: {out / 'report.html'}")
    for reason in result.reasons:
        typer.echo(f"  {reason.code}: {reason.text}")
    if achieved is not None:
        p50, p99 = result.hold.intended.percentiles((50, 99))
        latency = "" if p50 is None or p99 is None else f", p50 {p50:.3f} s, p99 {p99:.3f} s"
        typer.echo(
            f"  {counts.sent} sent, {counts.answered} answered, {counts.lost} lost;"
            f" {achieved.answered_rate:.1f} answered a second{latency}"
        )


def clean(
    load_namespace: Annotated[
        str, typer.Option(help="Namespace of the load's pods.")
    ] = LOAD_NAMESPACE,
    context: Annotated[str | None, typer.Option(help="Context of the kubeconfig.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Runs that go on, too.")] = False,  # noqa: FBT002
) -> None:
    """Delete what crashed runs left: those that are over, or have no coordinator any more.

    Also of rollouts, calibrations and scorecards; pods that were pinned elsewhere for a load from
    here go as well.
    """
    cluster = Cluster(context)
    found = runner.orphans(cluster, load_namespace, everything=everything)
    for namespace, name in found:
        runner.clean(cluster, namespace, name)
        typer.echo(f"deleted {name} in {namespace}")
    if not found:
        typer.echo("nothing was left")
