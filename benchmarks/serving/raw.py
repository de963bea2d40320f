"""The model called directly, in a process of its own that sleeps while HTTP is measured."""

import itertools
import multiprocessing
import signal
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import numpy as np
from numpy.typing import NDArray

from benchmarks.serving.machine import pin
from benchmarks.serving.results import BatchEffect, RawRate

if TYPE_CHECKING:
    from bento.engines import Engine, Scores

BATCH_SIZE: Final = 64
ANSWER_SECONDS: Final = 300.0
STOP_SECONDS: Final = 5.0


class RawError(Exception):
    """The model could not be measured directly; the message is one line that says why."""


@dataclass(frozen=True, slots=True)
class RawPlan:
    """How long one direct measurement takes."""

    seconds: float  # at least, of whole batches; each measurement goes on where the last ended
    direct_calls: int  # with one text each


@dataclass(frozen=True, slots=True)
class RawAnswers:
    """What the model says to the texts, and which model it is."""

    labels: tuple[str, ...]
    scores: NDArray[np.float32]  # [texts, labels], computed in batches of BATCH_SIZE
    batch_effect: BatchEffect
    version: str
    sha256: str
    kind: str


class RawModel:
    """A context manager: the process lives from entry to exit."""

    def __init__(self, folder: Path, texts: Sequence[str], plan: RawPlan, core: int | None) -> None:
        """The process starts with the context."""
        context = multiprocessing.get_context("spawn")
        self._connection, child = context.Pipe()
        self._process = context.Process(
            target=_work, args=(child, folder, list(texts), plan, core), daemon=True
        )
        self._child = child

    def __enter__(self) -> Self:
        self._process.start()
        self._child.close()  # so that the end of the process is seen as the end of the pipe
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()
        self._process.join(STOP_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def answers(self) -> RawAnswers:
        """Load the model and classify all texts. Raises RawError."""
        answer = self._ask("answers")
        if not isinstance(answer, RawAnswers):
            raise RawError(str(answer))
        return answer

    def measure(self) -> RawRate:
        """One direct measurement. Raises RawError."""
        answer = self._ask("measure")
        if not isinstance(answer, RawRate):
            raise RawError(str(answer))
        return answer

    def _ask(self, question: str) -> object:
        try:
            self._connection.send(question)
            if not self._connection.poll(ANSWER_SECONDS):
                raise RawError(f"the model did not answer in {ANSWER_SECONDS:.0f} s")
            return self._connection.recv()
        except (EOFError, OSError) as error:
            self._process.join(STOP_SECONDS)
            raise RawError(
                f"the process with the model ended with {self._process.exitcode}"
            ) from error


def _work(
    connection: Connection, folder: Path, texts: list[str], plan: RawPlan, core: int | None
) -> None:
    """Body of the process: answer questions until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process
    pin(0, core)  # before the imports: libraries size their thread pools by it
    from bento.artifacts import ArtifactError, read_artifact  # noqa: PLC0415
    from bento.engines import load_engine  # noqa: PLC0415

    try:
        artifact = read_artifact(folder)
        served = load_engine(artifact, threads=1)
    except ArtifactError as error:
        connection.send(str(error))
        return
    engine = RawPipeline(served)
    manifest = artifact.manifest
    batches = itertools.cycle(_batches(texts))
    while True:
        try:
            question = connection.recv()
        except EOFError:
            return
        if question == "measure":
            connection.send(_measure(engine, served, texts, batches, plan))
            continue
        scores = scores_of(engine, texts, BATCH_SIZE)
        connection.send(
            RawAnswers(
                labels=tuple(manifest.labels),
                scores=scores,
                batch_effect=_batch_effect(engine, texts, scores, plan.direct_calls),
                version=manifest.version,
                sha256=manifest.sha256,
                kind=manifest.kind,
            )
        )


class RawPipeline:
    """The model as its own framework runs it: spaCy's `pipe`, ONNX Runtime's session.

    The served engine may take a shorter way to the same scores; its rate is reported beside.
    """

    def __init__(self, engine: "Engine") -> None:
        """`engine` as served."""
        self.labels = engine.labels
        self.predict: Callable[[Sequence[str]], Iterator[tuple[Sequence[int], Scores]]] = getattr(
            engine, "predict_by_pipeline", engine.predict
        )


def scores_of(
    engine: "Engine | RawPipeline", texts: Sequence[str], batch_size: int
) -> NDArray[np.float32]:
    """FP32 [texts, labels], classified in batches in the order given."""
    scores = np.full((len(texts), len(engine.labels)), np.nan, dtype=np.float32)
    for start in range(0, len(texts), batch_size):
        for positions, rows in engine.predict(texts[start : start + batch_size]):
            scores[np.asarray(positions) + start] = rows
    return scores


def _batches(texts: Sequence[str]) -> list[Sequence[str]]:
    return [texts[start : start + BATCH_SIZE] for start in range(0, len(texts), BATCH_SIZE)]


def _measure(
    engine: "Engine | RawPipeline",
    served: "Engine",
    texts: Sequence[str],
    batches: Iterator[Sequence[str]],
    plan: RawPlan,
) -> RawRate:
    rate, cpu_rate = _rates(engine, batches, plan.seconds)
    engine_rate, _ = _rates(served, batches, plan.seconds / 2)
    calls = []
    for text in _spread(texts, plan.direct_calls):
        begin = time.perf_counter()
        for _ in served.predict([text]):
            pass
        calls.append(time.perf_counter() - begin)
    return RawRate(
        docs_per_s=rate,
        docs_per_cpu_s=cpu_rate,
        engine_docs_per_s=engine_rate,
        direct_ms=statistics.median(calls) * 1000,
    )


def _rates(
    engine: "Engine | RawPipeline", batches: Iterator[Sequence[str]], seconds: float
) -> tuple[float, float]:
    """Documents a second of wall clock, and of CPU."""
    started, cpu = time.perf_counter(), time.process_time()
    docs = 0
    while (elapsed := time.perf_counter() - started) < seconds or not docs:
        batch = next(batches)
        for _ in engine.predict(batch):
            pass
        docs += len(batch)
    return docs / elapsed, docs / (time.process_time() - cpu)


def _batch_effect(
    engine: "Engine | RawPipeline", texts: Sequence[str], scores: NDArray[np.float32], count: int
) -> BatchEffect:
    alone = scores_of(engine, _spread(texts, count), 1)
    batched = scores[:: max(1, len(texts) // count)][: len(alone)]
    return BatchEffect(
        texts=len(alone),
        largest_difference=float(np.abs(alone - batched).max()),
        label_changes=int((alone.argmax(axis=1) != batched.argmax(axis=1)).sum()),
    )


def _spread(texts: Sequence[str], count: int) -> Sequence[str]:
    """`count` texts, evenly out of all."""
    return texts[:: max(1, len(texts) // count)][:count]
