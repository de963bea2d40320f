"""Instruments of one process.

The event loop alone writes them (one has a lock, in runtime.py), so plain numbers need none;
prometheus_client only renders them. Its own counters take a lock an increment, and turn into files
when BentoML's supervisor sets PROMETHEUS_MULTIPROC_DIR: nine would cost a third of what HTTP costs.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from bento import cpu_metrics
from bento.artifacts import Manifest
from bento.engines import Scores
from bento.histogram import Histogram
from nlpserve import metrics as names
from nlpserve import routes
from nlpserve.metrics import BatchReason, Rejection

if TYPE_CHECKING:
    from bento.batching import Batcher
    from bento.drift_monitor import ModelDrift

# Dense where objectives are set (10 ms to 1 s), open to the default deadline.
LATENCY_BUCKETS: Final = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
SIZE_BUCKETS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)
CONFIDENCE_BUCKETS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
CHARACTER_BUCKETS: Final = (10, 20, 40, 80, 160, 320, 640, 1280, 5120)
# Counters that are there before they count: a rate has to have a zero to start from, or it never
# sees the first failure of a pod.
_CODES: Final = (200, 500, 503)
_FROM_THE_START: Final = (
    Rejection.QUEUE_FULL, Rejection.DEADLINE, Rejection.EXPIRED, Rejection.OPEN_BODIES,
)  # fmt: skip
_EMPTY: Final = Histogram(LATENCY_BUCKETS)


class ModelMetrics:
    """Instruments of one model; the batcher reports its batches here."""

    def __init__(self, name: str, manifest: Manifest, runtime: str) -> None:
        """`runtime` is where and on how many threads the model runs, for model_info."""
        self.name = name
        self.manifest = manifest
        self.runtime = runtime
        self.batcher: Batcher | None = None
        self.drift: ModelDrift | None = None
        self.queue_wait = Histogram(LATENCY_BUCKETS)
        self.batch_size = Histogram(SIZE_BUCKETS)
        self.batch_duration = Histogram(LATENCY_BUCKETS)
        self.batches: Counter[BatchReason] = Counter()
        self.predictions = [0] * len(manifest.labels)
        self.confidence = Histogram(CONFIDENCE_BUCKETS)
        self.text_characters = Histogram(CHARACTER_BUCKETS)

    def observe_start(self, waits: Sequence[float], reason: BatchReason) -> None:
        """Count a batch that goes."""
        self.batches[reason] += 1
        self.batch_size.observe(len(waits))
        self.queue_wait.observe_many(waits)

    def observe_group(self, texts: Sequence[str], tops: Sequence[int], scores: Scores) -> None:
        """Count texts that the model finished."""
        for top in tops:
            self.predictions[top] += 1
        self.confidence.observe_many(scores.max(axis=1))
        self.text_characters.observe_many([len(text) for text in texts])
        if self.drift is not None:
            self.drift.offer(texts, tops, scores)

    def observe_end(self, seconds: float) -> None:
        """Count the model's time for a batch."""
        self.batch_duration.observe(seconds)


class ProcessMetrics(Collector):
    """All instruments of the process, as one collector with a registry of its own."""

    def __init__(self) -> None:
        """Nothing is served yet: models are added as they load."""
        self.models: dict[str, ModelMetrics] = {}
        self.requests: Counter[tuple[str, str, int]] = Counter()
        self.durations: dict[tuple[str, str], Histogram] = {}
        self.rejected: Counter[tuple[str, Rejection]] = Counter()
        self.prediction_log_dropped = 0
        self.registry = CollectorRegistry()
        self.registry.register(self)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)

    def observe_request(self, model: str, route: str, code: int, seconds: float) -> None:
        """Count an answered request."""
        self.requests[model, route, code] += 1
        histogram = self.durations.get((model, route))
        if histogram is None:
            histogram = self.durations[model, route] = Histogram(LATENCY_BUCKETS)
        histogram.observe(seconds)

    def collect(self) -> Iterator[Metric]:
        """Render everything; called for each scrape."""
        yield from self._collect_answers()
        rejected = {(model, reason): 0 for model in self.models for reason in _FROM_THE_START}
        rejected.update(self.rejected)
        yield _counter(
            names.REJECTED,
            "Requests turned away.",
            ("model", "reason"),
            (((model, str(reason)), n) for (model, reason), n in rejected.items()),
        )
        text = "Lines that the prediction log had no room for."
        dropped = [((), self.prediction_log_dropped)]
        yield _counter(names.PREDICTION_LOG_DROPPED, text, (), dropped)
        yield from self._collect_models()
        yield from cpu_metrics.collect()

    def _collect_answers(self) -> Iterator[Metric]:
        expected = [(m, route) for m in self.models for route in routes.predictions(m)]
        requests = {(*key, code): 0 for key in expected for code in _CODES}
        requests.update(self.requests)
        yield _counter(
            names.REQUESTS,
            "Requests answered.",
            ("model", "route", "code"),
            (((model, route, str(code)), n) for (model, route, code), n in requests.items()),
        )
        yield _histogram(
            names.REQUEST_DURATION,
            "Seconds from the request's head to its answer.",
            ("model", "route"),
            (dict.fromkeys(expected, _EMPTY) | self.durations).items(),
        )

    def _collect_models(self) -> Iterator[Metric]:
        models = self.models.values()
        yield _gauge(
            names.IN_FLIGHT,
            "Texts accepted and not yet answered.",
            ((m.name, m.batcher.in_flight if m.batcher else 0) for m in models),
        )
        yield _gauge(
            names.QUEUE_DEPTH,
            "Texts that wait for the model.",
            ((m.name, m.batcher.queue_depth if m.batcher else 0) for m in models),
        )
        for name, text, histograms in (
            (names.QUEUE_WAIT, "Seconds that a text waited.", "queue_wait"),
            (names.BATCH_SIZE, "Texts that the model ran together.", "batch_size"),
            (names.BATCH_DURATION, "Seconds that the model took for them.", "batch_duration"),
            (names.CONFIDENCE, "Score of the winning label.", "confidence"),
            (names.TEXT_CHARACTERS, "Characters of a text.", "text_characters"),
        ):
            rows = [((m.name,), getattr(m, histograms)) for m in models]
            yield _histogram(name, text, ("model",), rows)
        yield _counter(
            names.BATCHES,
            "Batches, by why they went.",
            ("model", "reason"),
            (((m.name, str(reason)), m.batches[reason]) for m in models for reason in BatchReason),
        )
        yield _counter(
            names.PREDICTIONS,
            "Predictions, by label.",
            ("model", "label"),
            (
                ((m.name, label), count)
                for m in models
                for label, count in zip(m.manifest.labels, m.predictions, strict=True)
            ),
        )
        drift = GaugeMetricFamily(
            names.DRIFT_PSI,
            "Population stability index of recent texts and answers against the training texts.",
            labels=("model", "feature"),
        )
        for m in models:
            for feature, index in (m.drift.indices() if m.drift else {}).items():
                drift.add_metric((m.name, str(feature)), index)
        yield drift
        info = GaugeMetricFamily(
            names.MODEL_INFO,
            "What is served; always 1.",
            labels=("model", "version", "sha256", "runtime"),
        )
        for m in models:
            info.add_metric((m.name, m.manifest.version, m.manifest.sha256, m.runtime), 1)
        yield info


def _counter(
    name: str,
    text: str,
    labels: Sequence[str],
    rows: Iterable[tuple[Sequence[str], float]],
) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for values, count in rows:
        family.add_metric(values, count)
    return family


def _gauge(name: str, text: str, rows: Iterable[tuple[str, float]]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=("model",))
    for model, value in rows:
        family.add_metric((model,), value)
    return family


def _histogram(
    name: str,
    text: str,
    labels: Sequence[str],
    rows: Iterable[tuple[Sequence[str], Histogram]],
) -> Metric:
    family = HistogramMetricFamily(name, text, labels=labels)
    for values, histogram in rows:
        family.add_metric(values, histogram.buckets(), histogram.sum)
    return family
