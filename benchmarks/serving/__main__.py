"""`python -m benchmarks.serving --out DIR`: the run behind `make bench-serving`."""

import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer

from benchmarks.serving import machine, report, targets
from benchmarks.serving.calls import REQUESTS
from benchmarks.serving.measure import Plan, measure_ceiling, measure_model, plan_of
from benchmarks.serving.raw import RawError
from benchmarks.serving.results import BenchResult
from benchmarks.serving.server import ROOT, ServerError

SHIPPED = ROOT / "bento" / "models"
UNMEASURED = 2
"""Exit code when there is no result; 1 says that a target was missed."""


def main(
    out: Annotated[Path, typer.Option(help="Folder for result.json, result.md and server logs.")],
    models: Annotated[
        str, typer.Option(help="By comma: intent, emotion, or either as NAME=FOLDER.")
    ] = "intent,emotion",
    setting: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE for the server, as max_batch_size=32.")
    ] = None,
    texts: Annotated[int, typer.Option(min=1_000, max=50_000, help="Distinct texts.")] = 2_000,
    seed: Annotated[int, typer.Option(min=0, help="Of the made-up texts.")] = 1,
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Short windows, fewer repeats.")] = False,
) -> None:
    """Measure HTTP against the raw model on one core, and judge the targets.

    Exit code 0: every target met; 1: one was missed; 2: nothing could be measured.
    """
    folders = _folders(models)
    settings = _pairs(setting or [])
    signal.signal(signal.SIGTERM, _leave)
    out.mkdir(parents=True, exist_ok=True)
    try:
        result = run(folders, settings, plan_of(texts, seed, quick=quick), out, quick=quick)
    except (RawError, ServerError, OSError) as error:
        typer.echo(f"not measured: {error}", err=True)
        raise typer.Exit(UNMEASURED) from None
    (out / "result.json").write_text(result.model_dump_json(indent=2) + "\n", encoding="utf-8")
    (out / "result.md").write_text(report.markdown(result), encoding="utf-8")
    for target in result.targets:
        typer.echo(report.target_line(target))
    typer.echo(f"wrote result.json and result.md to {out}")
    raise typer.Exit(0 if result.passed else 1)


def run(
    folders: dict[str, Path], settings: dict[str, str], plan: Plan, out: Path, *, quick: bool
) -> BenchResult:
    """All measurements and their judgement. Raises RawError, ServerError and OSError."""
    started, clock = datetime.now(UTC), time.monotonic()
    load_before = machine.load_average()
    pinning = machine.choose_cores()
    typer.echo(pinning.note)
    machine.pin(0, pinning.client_core)
    ceilings = measure_ceiling(plan, pinning, out)
    for ceiling in ceilings:
        typer.echo(
            f"client alone, {ceiling.connections:>3} connections: {ceiling.requests_per_s:.0f} "
            f"req/s, p50 {ceiling.p50_ms:.2f} ms"
        )
    results = [
        measure_model(
            name,
            folder,
            plan=plan,
            pinning=pinning,
            settings=settings,
            out=out,
            say=typer.echo,
        )
        for name, folder in folders.items()
    ]
    return BenchResult(
        commit=machine.commit(ROOT),
        started=started.isoformat(timespec="seconds"),
        seconds=time.monotonic() - clock,
        quick=quick,
        seed=plan.seed,
        settings=settings,
        machine=machine.machine_facts(),
        pinning=pinning,
        load_average_before=load_before,
        load_average_after=machine.load_average(),
        ceilings=ceilings,
        models=results,
        targets=[target for result in results for target in targets.judge(result)],
    )


def _folders(models: str) -> dict[str, Path]:
    folders = {}
    for entry in filter(None, (part.strip() for part in models.split(","))):
        name, _, folder = entry.partition("=")
        if name not in REQUESTS:
            raise typer.BadParameter(f"--models: {name!r} is none of {', '.join(REQUESTS)}")
        folders[name] = Path(folder) if folder else SHIPPED / name
    if not folders:
        raise typer.BadParameter("--models names no model")
    return folders


def _pairs(settings: list[str]) -> dict[str, str]:
    pairs = {}
    for entry in settings:
        name, equals, value = entry.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"--setting: {entry!r} is not NAME=VALUE")
        pairs[name] = value
    return pairs


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    """SIGTERM ends the run like Ctrl-C does: servers are ended on the way out."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    typer.run(main)
