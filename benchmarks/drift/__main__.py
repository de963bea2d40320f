"""`python -m benchmarks.drift --out FILE`: what drift costs, as a share of the model's time.

CPU time, so that a busy machine blurs it less, on one thread; each round measures model and drift
one after the other. The model is never idle and answers full batches, so that few of its texts are
sampled; texts come one by one, so slowly that each of them is; or a full batch comes now and then,
whose texts need less of the model each, and each of them is sampled as well. The last is told and
not judged: its share is of a model that has next to nothing to do.
"""

import os
from pathlib import Path
from typing import Annotated, Final

import typer

from benchmarks.drift.results import DriftCost, ModelCost
from benchmarks.serving import machine
from bento.settings import Settings
from nlpserve.sentences import LanguageCode

ROOT: Final = Path(__file__).parents[2]
MODELS: Final[dict[str, LanguageCode]] = {"intent": "fr", "emotion": "en"}
MOST_SHARE: Final = 0.02
"""Of the model's time; the exit code says whether the first two cases stay below."""


def main(
    out: Annotated[Path, typer.Option(help="JSON file to write.")],
    rounds: Annotated[int, typer.Option(min=1, max=100, help="Rounds; medians are kept.")] = 9,
) -> None:
    """Measure what drift costs. Exit code 1 when it is 2 % of the model's time or more."""
    # Before the libraries load: one thread each, as a pod of one core has them.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from benchmarks.drift.measure import measure  # noqa: PLC0415

    settings = Settings()
    result = DriftCost(
        commit=machine.commit(ROOT),
        machine=machine.machine_facts(),
        load_average=machine.load_average(),
        documents_per_second=settings.drift_documents_per_second,
        rounds=rounds,
        models=[measure(*model, settings, rounds) for model in MODELS.items()],
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(result.model_dump_json(indent=2) + "\n", encoding="utf-8")
    for cost in result.models:
        typer.echo(
            f"{cost.model}: {cost.share_under_full_load:.2%} of the model's time under full load,"
            f" {cost.share_when_each_is_sampled:.2%} when each text is sampled"
            f" ({cost.sampled_us:.0f} µs beside {cost.lone_us:.0f} µs),"
            f" {cost.share_of_rare_batches:.1%} of rare full batches;"
            f" {result.most_of_a_core(cost):.2%} of a core at most"
        )
    raise typer.Exit(int(any(_missed(cost) for cost in result.models)))


def _missed(cost: ModelCost) -> bool:
    return max(cost.share_under_full_load, cost.share_when_each_is_sampled) >= MOST_SHARE


if __name__ == "__main__":
    typer.run(main)
