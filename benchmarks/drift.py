"""`python -m benchmarks.drift --out FILE`: what drift costs, as a share of the model's time.

CPU time, so that a busy machine blurs it less, on one thread; each round measures model and drift
one after the other. Two cases: the model is never idle and answers full batches, so that few of its
texts are sampled; and texts come one by one, so slowly that each of them is.
"""

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: the model has one thread, too
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import typer
from pydantic import BaseModel

from benchmarks.serving import machine
from benchmarks.serving.raw import scores_of
from benchmarks.serving.results import MachineFacts
from bento.artifacts import read_artifact
from bento.drift_monitor import COUNTED_TOGETHER, ModelDrift, model_drift
from bento.engines import Engine, load_engine
from bento.settings import SHIPPED_MODELS, Settings
from nlpserve.sentences import LanguageCode, sentences

ROOT: Final = Path(__file__).parents[1]
MODELS: Final[dict[str, LanguageCode]] = {"intent": "fr", "emotion": "en"}
BATCH: Final = 64
BATCHES: Final = 4
Cpu = float
"""Seconds of CPU a text."""
MOST_SHARE: Final = 0.02
"""Of the model's time; the exit code says whether both cases stay below."""


class ModelCost(BaseModel):
    """Microseconds of CPU a text, and drift's share of the model's time in both cases."""

    model: str
    full_batch_us: float
    lone_us: float
    sampled_us: float
    share_under_full_load: float
    share_when_each_is_sampled: float


class DriftCost(BaseModel):
    """What is written."""

    commit: str
    machine: MachineFacts
    load_average: float | None
    documents_per_second: int
    rounds: int
    models: list[ModelCost]


class Measured:
    """One model, its texts and their answers, and its drift on a clock that is moved by hand."""

    def __init__(self, name: str, settings: Settings) -> None:
        """Load it and let it answer once."""
        artifact = read_artifact(SHIPPED_MODELS / name)
        self.now = 0.0
        self.engine: Engine = load_engine(artifact, threads=1)
        drift = model_drift(name, artifact.manifest, self.engine, settings, lambda: self.now)
        if drift is None:
            raise SystemExit("not measured: drift is off, or the model has no training profile")
        self.drift: ModelDrift = drift
        self.texts = sentences(MODELS[name], BATCH * BATCHES, seed=1)
        self.scores = scores_of(self.engine, self.texts, BATCH)
        self.tops: list[int] = self.scores.argmax(axis=1).tolist()
        self.interval = COUNTED_TOGETHER / settings.drift_documents_per_second

    def model(self, batch: int) -> Cpu:
        """The model in batches of this size."""

        def answer() -> None:
            for start in range(0, len(self.texts), batch):
                for _ in self.engine.predict(self.texts[start : start + batch]):
                    pass

        return _cpu(answer) / len(self.texts)

    def drift_of(self, groups: int, size: int) -> Cpu:
        """Drift of so many groups of answers, from the first offer to the counts in the window."""

        def watch() -> None:
            for group in range(groups):
                start = group * size % (len(self.texts) - size + 1)
                part = slice(start, start + size)
                self.drift.offer(self.texts[part], self.tops[part], self.scores[part])
            self.now += 2 * self.interval  # more than enough, whatever the rounding
            samples = self.drift.take()
            if len(samples) != COUNTED_TOGETHER:
                raise RuntimeError(f"{len(samples)} texts were sampled")
            self.drift.add(self.drift.baseline.count(samples))

        return _cpu(watch) / (groups * size)


def main(
    out: Annotated[Path, typer.Option(help="JSON file to write.")],
    rounds: Annotated[int, typer.Option(min=1, max=100, help="Rounds; medians are kept.")] = 9,
) -> None:
    """Measure what drift costs. Exit code 1 when it is 2 % of the model's time or more."""
    settings = Settings()
    result = DriftCost(
        commit=machine.commit(ROOT),
        machine=machine.machine_facts(),
        load_average=machine.load_average(),
        documents_per_second=settings.drift_documents_per_second,
        rounds=rounds,
        models=[_measure(name, settings, rounds) for name in MODELS],
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(result.model_dump_json(indent=2) + "\n", encoding="utf-8")
    for cost in result.models:
        typer.echo(
            f"{cost.model}: {cost.share_under_full_load:.2%} of the model's time under full load,"
            f" {cost.share_when_each_is_sampled:.2%} when each text is sampled"
            f" ({cost.sampled_us:.0f} µs beside {cost.lone_us:.0f} µs)"
        )
    raise typer.Exit(int(any(_missed(cost) for cost in result.models)))


def _missed(cost: ModelCost) -> bool:
    return max(cost.share_under_full_load, cost.share_when_each_is_sampled) >= MOST_SHARE


def _measure(name: str, settings: Settings, rounds: int) -> ModelCost:
    measured = Measured(name, settings)
    groups = max(1, round(measured.interval / (measured.model(BATCH) * BATCH)))  # never idle
    seen = [
        (
            measured.model(BATCH),
            measured.drift_of(groups, BATCH),
            measured.model(1),
            measured.drift_of(COUNTED_TOGETHER, 1),
        )
        for _ in range(rounds)
    ]
    full, _, lone, sampled = (statistics.median(part) for part in zip(*seen, strict=True))
    return ModelCost(
        model=name,
        full_batch_us=full * 1e6,
        lone_us=lone * 1e6,
        sampled_us=sampled * 1e6,
        share_under_full_load=statistics.median(one[1] / one[0] for one in seen),
        share_when_each_is_sampled=statistics.median(one[3] / one[2] for one in seen),
    )


def _cpu(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    typer.run(main)
