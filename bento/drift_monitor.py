"""Feeds the drift of each model: samples what was answered, counts it beside the event loop.

The event loop keeps the texts that are sampled and does no more. Every few seconds a thread of the
pool counts them together: it takes the GIL while the loop waits for the network, and most of this
is in numpy and the tokenizer, without the GIL.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Final

from bento.artifacts import Manifest
from bento.drift import Baseline, Counts, Sample, Window
from bento.engines import Engine, Scores
from bento.sampling import Reservoir
from bento.settings import Settings
from nlpserve.metrics import DriftFeature

logger = logging.getLogger(__name__)

COUNTED_TOGETHER: Final = 64
"""Documents of one count. One by one each would cost ten times as much."""
LONGEST_WAIT_SECONDS: Final = 60.0
"""Fewer documents than that are counted after this time, all the same."""
READ_CHARACTERS: Final = 1000
"""Words are looked for in so much of a text: one endless text must not hold up the count."""
TICK_SECONDS: Final = 0.25


class ModelDrift:
    """Drift of one model. Every method runs on the event loop."""

    def __init__(
        self,
        name: str,
        baseline: Baseline,
        settings: Settings,
        clock: Callable[[], float],
    ) -> None:
        """Nothing was answered yet."""
        self.name = name
        self.baseline = baseline
        self._clock = clock
        self._window = Window(baseline.bins, settings.drift_window_seconds)
        self._reservoir: Reservoir[Sample] = Reservoir(COUNTED_TOGETHER, Random())  # noqa: S311
        self._least_seconds = COUNTED_TOGETHER / settings.drift_documents_per_second
        self._began = clock()

    def offer(self, texts: Sequence[str], tops: Sequence[int], scores: Scores) -> None:
        """Perhaps keep some of these texts, answered with the labels `tops`."""

        def sample(position: int) -> Sample:
            text, top = texts[position], tops[position]
            return Sample(text[:READ_CHARACTERS], len(text), top, float(scores[position, top]))

        self._reservoir.offer(len(texts), sample)

    def take(self) -> list[Sample]:
        """What is to be counted now, if it is time."""
        now = self._clock()
        least, longest = self._least_seconds, max(self._least_seconds, LONGEST_WAIT_SECONDS)
        waits = least if len(self._reservoir) == COUNTED_TOGETHER else longest
        if now - self._began < waits:
            return []
        self._began = now
        return self._reservoir.take()

    def add(self, counts: Counts) -> None:
        """Put counted documents into the window."""
        self._window.add(counts, self._clock())

    def indices(self) -> Mapping[DriftFeature, float]:
        """The index of each feature that the window has enough documents for."""
        return dict(self.baseline.indices(self._window.total(self._clock())))


class DriftMonitor:
    """Counts the samples of all models, one after the other."""

    def __init__(self) -> None:
        """No model yet."""
        self.models: list[ModelDrift] = []
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Count from now on."""
        if self.models:
            self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        """Count no more."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            for model in self.models:
                if samples := model.take():
                    await _count(model, samples)


async def _count(model: ModelDrift, samples: Sequence[Sample]) -> None:
    loop = asyncio.get_running_loop()
    try:
        counts = await loop.run_in_executor(None, model.baseline.count, samples)
    except Exception as error:  # noqa: BLE001  whatever a tokenizer raises costs this sample alone
        # Not the error's own words: they may quote a text.
        logger.warning(
            "Drift of model %s misses %d texts: %s", model.name, len(samples), type(error).__name__
        )
    else:
        model.add(counts)


def model_drift(
    name: str,
    manifest: Manifest,
    engine: Engine,
    settings: Settings,
    clock: Callable[[], float] = time.monotonic,
) -> ModelDrift | None:
    """The drift of a model, or None when it is off or the artifact has no training profile."""
    if not settings.drift_documents_per_second:
        return None
    if manifest.profile is None:
        logger.info("Model %s has no training profile: no drift is told", name)
        return None
    baseline = Baseline(manifest.profile, manifest.labels, engine.unknown_counter())
    if baseline.blind:
        logger.warning(
            "The training profile of model %s is of too few texts (%d) to tell drift of: %s",
            name,
            manifest.profile.documents,
            ", ".join(baseline.blind),
        )
    return ModelDrift(name, baseline, settings, clock)
