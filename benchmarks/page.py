"""`python -m benchmarks.page`: the figures of docs/performance.md, from docs/results/."""

from pathlib import Path
from typing import Annotated, Final

import typer

from benchmarks.drift.results import DriftCost, ModelCost
from benchmarks.serving.report import markdown, table
from benchmarks.serving.results import BenchResult, ModelResult
from benchmarks.start import Launcher, StartResult
from nlpserve import pages

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "performance.md"
RESULTS: Final = ROOT / "docs" / "results"
LONE, MANY = 1, 64
"""Connections that the targets speak of."""


def serving(result: BenchResult) -> str:
    """HTTP beside the raw model, and where it was measured."""
    head = (
        "model", "raw pipeline", f"HTTP, {MANY} connections", "ratio (median)",
        "the engine as served", "HTTP by that engine", "a lone client, above the direct call",
    )  # fmt: skip
    facts = (
        f"Commit {result.commit[:12]}, {result.started[:10]}, {result.machine.cores} cores of"
        f" {result.machine.cpu}, Python {result.machine.python}."
    )
    return "\n\n".join((table(head, map(_model, result.models)), facts))


def _model(model: ModelResult) -> tuple[str, ...]:
    levels = {level.connections: level for level in model.levels}
    rate = levels[MANY].requests_per_s
    return (
        model.model,
        f"{model.raw_docs_per_s:,.0f} texts/s",
        f"{rate:,.0f} requests/s",
        f"{levels[MANY].ratio:.2f}",
        f"{model.engine_docs_per_s:,.0f} texts/s",
        f"{rate / model.engine_docs_per_s:.2f}",
        f"{levels[LONE].added_ms:+.2f} ms",
    )


def start(result: StartResult) -> str:
    """Seconds and memory of both launchers."""
    head = ("", "start to ready", "resident when ready", f"after {result.texts:,} texts")
    return table(head, map(_launcher, result.launchers))


def _launcher(launcher: Launcher) -> tuple[str, ...]:
    return (
        f"`{launcher.launcher}`",
        f"{launcher.ready_seconds:.1f} s",
        f"{launcher.resident_mb_when_ready:.0f} MB",
        f"{launcher.resident_mb_after_texts:.0f} MB",
    )


def drift(result: DriftCost) -> str:
    """What drift costs beside the model."""
    head = (
        "model", "the model, a text alone", "drift, a sampled text", "share when each is sampled",
        "share under full load", "share of rare full batches", "of a core, at most",
    )  # fmt: skip
    facts = (
        f"CPU time, medians of {result.rounds} rounds; {result.documents_per_second} texts a second"
        f" at most; load average {result.load_average or 0:.1f}. Commit {result.commit[:12]}."
    )
    rows = [_cost(cost, result.most_of_a_core(cost)) for cost in result.models]
    return "\n\n".join((table(head, rows), facts))


def _cost(cost: ModelCost, most_of_a_core: float) -> tuple[str, ...]:
    return (
        cost.model,
        f"{cost.lone_us:,.0f} µs",
        f"{cost.sampled_us:.0f} µs",
        f"{cost.share_when_each_is_sampled:.1%}",
        f"{cost.share_under_full_load:.2%}",
        f"{cost.share_of_rare_batches:.1%}",
        f"{most_of_a_core:.2%}",
    )


def main(
    check: Annotated[  # noqa: FBT002
        bool, typer.Option(help="Only say whether they are as they would be.")
    ] = False,
) -> None:
    """Write the figures of docs/performance.md and the whole result as a page."""
    bench = BenchResult.model_validate_json((RESULTS / "bench-serving.json").read_bytes())
    starts = StartResult.model_validate_json((RESULTS / "start.json").read_bytes())
    cost = DriftCost.model_validate_json((RESULTS / "drift.json").read_bytes())
    parts = {"serving": serving(bench), "start": start(starts), "drift": drift(cost)}
    wanted = {**pages.renewed(PAGE, parts), RESULTS / "bench-serving.md": markdown(bench)}
    pages.write(wanted, source="docs/results/", check=check)


if __name__ == "__main__":
    typer.run(main)
