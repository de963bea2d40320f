"""What one process serves: each model once, with its batcher, metrics and log."""

import asyncio
import functools
import gc
import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from bento.artifacts import Artifact, read_artifact
from bento.batching import Batcher
from bento.drift_monitor import DriftMonitor, ModelDrift, model_drift
from bento.engines import Engine, load_engine
from bento.execution import LoopRunner, Runner, ThreadRunner
from bento.lifecycle import Lifecycle
from bento.limits import Limits, check_texts
from bento.metrics import ModelMetrics, ProcessMetrics
from bento.pending import BatchLimits, Prediction, Reply
from bento.predictions_log import PredictionsLog, open_predictions_log
from bento.settings import Settings
from nlpserve.errors import NotFound
from nlpserve.metrics import LAST_COUNTS
from nlpserve.sentences import LanguageCode, sentences

logger = logging.getLogger(__name__)

LOOP_SECONDS: Final = 0.03
"""A full batch at most this long runs on the event loop: probes answer between two of them."""
WARM_UP_TEXTS: Final = 256
"""The most that the full batch of the warm-up holds: about as long as BATCH_CHARACTERS allows."""
WARM_UP_SEED: Final = 1


class ServedModel:
    """One model under its served name."""

    def __init__(
        self,
        name: str,
        artifact: Artifact,
        batcher: Batcher,
        metrics: ModelMetrics,
        log: PredictionsLog | None,
    ) -> None:
        """Built by `Runtime.start`."""
        self.name = name
        self.manifest = artifact.manifest
        self.labels = tuple(artifact.manifest.labels)
        self.batcher = batcher
        self.metrics = metrics
        self._log = log

    def put(self, texts: Sequence[str], reply: Reply) -> None:
        """Ask for predictions in the order of the texts, which must have passed `check_texts`.

        Whoever gets them calls `log_predictions`. Raises and fails as `Batcher.put` says.
        """
        self.batcher.put(texts, reply)

    def log_predictions(self, texts: Sequence[str], predictions: Sequence[Prediction]) -> None:
        """A line for each text in the prediction log, if there is one."""
        if self._log is not None:
            for text, prediction in zip(texts, predictions, strict=True):
                self._log.prediction(self.name, text, self.labels[prediction.top])

    async def classify(
        self, texts: Sequence[str], left: Callable[[], bool] | None = None
    ) -> list[Prediction]:
        """Submit, wait and log. Raises ClientLeft when `left` is true once their turn comes."""
        predictions = await self.batcher.submit(texts, left)
        self.log_predictions(texts, predictions)
        return predictions


class Runtime:
    """Everything behind the routes."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is loaded until `start`."""
        self.settings = settings
        self.limits = Limits.of(settings)
        self.lifecycle = Lifecycle(settings)
        self.metrics = ProcessMetrics()
        self.models: dict[str, ServedModel] = {}
        self.log: PredictionsLog | None = None
        self._drift = DriftMonitor()
        self._dropping = threading.Lock()

    @property
    def alive(self) -> bool:
        """False when a model can no longer answer: the process should be restarted."""
        return all(model.batcher.alive for model in self.models.values())

    @property
    def ready(self) -> bool:
        """Whether new requests should come here."""
        return self.lifecycle.started and not self.lifecycle.draining and self.alive

    def model(self, name: str) -> ServedModel:
        """The model served under this name. Raises NotFound."""
        try:
            return self.models[name]
        except KeyError:
            raise NotFound(
                f"This server has no such model; it serves {', '.join(self.models)}."
            ) from None

    async def classify(
        self, name: str, texts: Sequence[str], left: Callable[[], bool] | None = None
    ) -> list[Prediction]:
        """Check and classify: what BentoML's own API calls.

        Raises any NlpserveError, and ClientLeft as ServedModel.classify does.
        """
        model = self.model(name)
        check_texts(texts, "texts", self.limits)
        return await model.classify(texts, left)

    async def start(self) -> None:
        """Load, warm up, then be ready.

        Raises ArtifactError for an artifact that cannot be served, OSError for a prediction log
        that cannot be opened.
        """
        loop = asyncio.get_running_loop()
        self.log = open_predictions_log(self.settings, self._count_dropped_line)
        for name, folder in self.settings.model_folders().items():
            started = time.perf_counter()
            load = functools.partial(self._load, name, folder)
            self._serve(name, *await loop.run_in_executor(None, load))
            logger.info(
                "Model %s %s ready after %.2f s, %s, %.0f texts/s in full batches",
                name,
                self.models[name].manifest.version,
                time.perf_counter() - started,
                self.models[name].metrics.runtime,
                1 / self.models[name].batcher.seconds_per_text,
            )
        # What is loaded by now stays: without this each full collection would walk all of it, a
        # pause of tens of milliseconds every few thousand requests.
        gc.collect()
        gc.freeze()
        self._drift.start()
        self.lifecycle.take_over(loop)
        self.lifecycle.started = True

    async def stop(self) -> None:
        """Close what `start` opened, and say what was counted: the last scrape is long ago."""
        if self.lifecycle.started:
            counted = [[*key, number] for key, number in self.metrics.requests.items()]
            logger.info("%s%s", LAST_COUNTS, json.dumps(counted))
        self.lifecycle.started = False
        self._drift.stop()
        for model in self.models.values():
            model.batcher.close()
        if self.log is not None:
            await asyncio.get_running_loop().run_in_executor(None, self.log.close)

    def _load(self, name: str, folder: Path) -> tuple[Artifact, Engine, float, ModelDrift | None]:
        """Artifact, engine, the seconds a text of a warm full batch, and what tells drift."""
        artifact = read_artifact(folder)
        engine = load_engine(artifact, threads=self.settings.model_threads())
        language: LanguageCode = "fr" if artifact.manifest.language == "fr" else "en"
        texts = sentences(language, self._full_batch(), seed=WARM_UP_SEED)
        for text in texts[:4]:
            list(engine.predict([text]))
        seconds = []
        for _ in range(3):
            started = time.perf_counter()
            list(engine.predict(texts))
            seconds.append(time.perf_counter() - started)
        drift = model_drift(name, artifact.manifest, engine, self.settings)
        return artifact, engine, min(seconds) / len(texts), drift

    def _full_batch(self) -> int:
        return min(self.settings.max_batch_size, WARM_UP_TEXTS)

    def _serve(
        self,
        name: str,
        artifact: Artifact,
        engine: Engine,
        seconds_per_text: float,
        drift: ModelDrift | None,
    ) -> None:
        execution = self.settings.execution
        if execution == "auto":
            # A transformer's runtime releases the GIL, so that a thread lets HTTP go on beside it.
            short = seconds_per_text * self._full_batch() <= LOOP_SECONDS
            execution = "loop" if short and artifact.manifest.kind == "spacy" else "thread"
        runner: type[Runner] = LoopRunner if execution == "loop" else ThreadRunner
        runtime = f"{artifact.manifest.kind}/{execution}/{self.settings.model_threads()}"
        metrics = ModelMetrics(name, artifact.manifest, runtime)
        batcher = Batcher(
            engine,
            BatchLimits(
                batch_size=self.settings.max_batch_size,
                queue=self.settings.queue_limit,
                deadline_seconds=self.settings.deadline_seconds,
                stall_seconds=self.settings.stall_seconds,
            ),
            metrics,
            runner,
            seconds_per_text=seconds_per_text,
        )
        metrics.batcher = batcher
        metrics.drift = drift
        if drift is not None:
            self._drift.models.append(drift)
        self.metrics.models[name] = metrics
        self.models[name] = ServedModel(name, artifact, batcher, metrics, self.log)

    def _count_dropped_line(self) -> None:
        # The loop calls this where there is no room, the log's thread where it cannot write.
        with self._dropping:
            self.metrics.prediction_log_dropped += 1
