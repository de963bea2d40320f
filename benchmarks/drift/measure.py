"""What drift costs beside a model, in CPU time of this process."""

import statistics
import time
from collections.abc import Callable
from typing import Final

from benchmarks.drift.results import ModelCost
from benchmarks.serving.raw import scores_of
from bento.artifacts import read_artifact
from bento.drift_monitor import COUNTED_TOGETHER, ModelDrift, model_drift
from bento.engines import Engine, load_engine
from bento.settings import SHIPPED_MODELS, Settings
from nlpserve.sentences import LanguageCode, sentences

BATCH: Final = 64
BATCHES: Final = 4
Cpu = float
"""Seconds of CPU a text."""


class Measured:
    """One model, its texts and their answers, and its drift on a clock that is moved by hand."""

    def __init__(self, name: str, language: LanguageCode, settings: Settings) -> None:
        """Load it and let it answer once."""
        artifact = read_artifact(SHIPPED_MODELS / name)
        self.now = 0.0
        self.engine: Engine = load_engine(artifact, threads=1)
        drift = model_drift(name, artifact.manifest, self.engine, settings, lambda: self.now)
        if drift is None:
            raise SystemExit("not measured: drift is off, or the model has no training profile")
        self.drift: ModelDrift = drift
        self.texts = sentences(language, BATCH * BATCHES, seed=1)
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


def measure(name: str, language: LanguageCode, settings: Settings, rounds: int) -> ModelCost:
    """Medians of so many rounds. Raises ArtifactError for a model that is not there."""
    measured = Measured(name, language, settings)
    groups = max(1, round(measured.interval / (measured.model(BATCH) * BATCH)))  # never idle
    seen = [
        (
            measured.model(BATCH),
            measured.drift_of(groups, BATCH),
            measured.model(1),
            measured.drift_of(COUNTED_TOGETHER, 1),
            measured.drift_of(COUNTED_TOGETHER // BATCH, BATCH),
        )
        for _ in range(rounds)
    ]
    full, _, lone, sampled, _ = (statistics.median(part) for part in zip(*seen, strict=True))
    return ModelCost(
        model=name,
        full_batch_us=full * 1e6,
        lone_us=lone * 1e6,
        sampled_us=sampled * 1e6,
        share_under_full_load=statistics.median(one[1] / one[0] for one in seen),
        share_when_each_is_sampled=statistics.median(one[3] / one[2] for one in seen),
        share_of_rare_batches=statistics.median(one[4] / one[0] for one in seen),
    )


def _cpu(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started
