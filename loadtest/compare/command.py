"""`python -m loadtest compare A B`."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from loadtest.load_report import words
from loadtest.load_report.command import read
from loadtest.spec import explain
from nlpserve.load_comparisons import Change, ComparisonResult


def add_to(app: typer.Typer) -> None:
    """The command `compare`."""
    app.command()(compare)


def compare(  # noqa: PLR0917  Typer's way
    a: Annotated[Path, typer.Argument(help="A result.json of `run`, or its folder: the old one.")],
    b: Annotated[Path, typer.Argument(help="The new one.")],
    out: Annotated[Path | None, typer.Option(help="File to write the JSON to.")] = None,
    latency_effect: Annotated[
        float, typer.Option(help="Smallest rise of a latency percentile that counts, a share.")
    ] = 0.1,
    rate_effect: Annotated[
        float, typer.Option(help="Smallest loss of answers a second that counts, a share.")
    ] = 0.05,
    failure_effect: Annotated[
        float, typer.Option(help="Smallest rise of the share of failures that counts.")
    ] = 0.001,
    alpha: Annotated[
        float, typer.Option(help="Chance of a false REGRESSION, over all measures.")
    ] = 0.01,
    seed: Annotated[int, typer.Option(help="Of the resampling.")] = 0,
) -> None:
    """Is B worse than A? Exit code 0 no regression, 1 regression, 2 not comparable or unclear."""
    # The load image runs some of our commands, and has nothing to calculate with.
    from loadtest.compare import judge  # noqa: PLC0415

    try:
        limits = judge.Limits(
            latency_effect=latency_effect,
            rate_effect=rate_effect,
            failure_effect=failure_effect,
            alpha=alpha,
            seed=seed,
        )
    except ValidationError as error:
        raise explain(error) from None
    result = judge.compare(read(a), read(b), limits)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(result.model_dump_json(indent=1) + "\n", encoding="utf-8")
    typer.echo(text(result))
    raise typer.Exit(result.verdict.exit_code)


def text(result: ComparisonResult) -> str:
    """For a person."""
    lines = [f"{result.verdict}: {result.run_b} compared with {result.run_a}"]
    lines += [f"  {reason}" for reason in result.reasons]
    lines += [_line(change) for change in result.changes]
    if result.changes:
        lines.append(f"  test: {result.test}; alpha {result.alpha:g}, seed {result.seed}")
    lines += [f"  differs: {difference}" for difference in result.differences]
    return "\n".join(lines)


def _line(change: Change) -> str:
    values = " → ".join(words.with_unit(value, change.unit) for value in (change.a, change.b))
    unit = "points" if change.unit == "ratio" else "%"
    seen, low, high, effect = (
        f"{100 * value:+.2f}" for value in (change.worse, change.low, change.high, change.effect)
    )
    return (
        f"  {change.name:14} {change.finding:8} {values}; worse by {seen} {unit}"
        f" ({low} to {high}; counts from {effect})"
    )
