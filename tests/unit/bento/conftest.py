"""Fake models, and a batcher whose model the test drives."""

import hashlib
import json
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from bento.batching import Batcher
from bento.execution import LoopRunner, Outcome, ThreadRunner, classify
from bento.pending import BatchLimits
from bento.settings import PREFIX

LABELS = ("alpha", "beta", "gamma")


@pytest.fixture(autouse=True, scope="session")
def _clean_environment():
    """No setting of the machine reaches a test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.upper().startswith(PREFIX):
                patch.delenv(name)
        yield


class Panic(BaseException):
    """What a tokenizer raises whose Rust code panics: no Exception."""


class FakeEngine:
    """Scores that follow from the text alone; certain words make it fail."""

    def __init__(
        self,
        labels: Sequence[str] = LABELS,
        group: Callable[[int], list[list[int]]] = lambda size: [list(range(size))],
    ) -> None:
        self.labels = tuple(labels)
        self.batches: list[list[str]] = []
        self._group = group

    def expected(self, text: str) -> list[float]:
        noise = np.random.default_rng(zlib.crc32(text.encode("utf-8", "replace")))
        row = noise.random(len(self.labels), dtype=np.float32)
        return (row / row.sum()).tolist()

    def expected_label(self, text: str) -> str:
        return self.labels[int(np.argmax(self.expected(text)))]

    def predict(self, texts: Sequence[str]) -> Iterator[tuple[Sequence[int], Any]]:
        self.batches.append(list(texts))
        for positions in self._group(len(texts)):
            for position in positions:
                if "poison" in texts[position]:
                    raise ValueError("cannot read this")
                if "panic" in texts[position]:
                    raise Panic
                if "death" in texts[position]:
                    raise SystemExit
            rows = [self.expected(texts[position]) for position in positions]
            yield positions, np.asarray(rows, dtype=np.float32)


class HeldRunner:
    """A model that is busy until the test lets it go on."""

    rest_turns = 0

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self.running: list[str] | None = None
        self.stopped = False

    def start(self, on_outcome, on_done, on_death) -> None:
        self._on_outcome = on_outcome
        self._on_done = on_done
        self.die = on_death

    def run(self, texts: Sequence[str]) -> None:
        assert self.running is None, "a batch was started while another ran"
        self.running = list(texts)
        self._outcomes: Iterator[Outcome] = classify(self._engine, texts)

    def deliver_group(self) -> None:
        self._on_outcome(next(self._outcomes))

    def finish(self) -> list[str]:
        """End the batch and return its texts."""
        for outcome in self._outcomes:
            self._on_outcome(outcome)
        texts, self.running = self.running, None
        self._on_done()
        return texts

    def stop(self) -> None:
        self.stopped = True


class Observer:
    """Keeps what the batcher reports."""

    def __init__(self) -> None:
        self.starts: list[tuple[list[float], str]] = []
        self.groups: list[list[str]] = []
        self.seconds: list[float] = []

    def observe_start(self, waits, reason) -> None:
        self.starts.append((list(waits), str(reason)))

    def observe_group(self, texts, tops, scores) -> None:
        assert len(texts) == len(tops) == len(scores)
        self.groups.append(list(texts))

    def observe_end(self, seconds) -> None:
        self.seconds.append(seconds)

    @property
    def reasons(self) -> list[str]:
        return [reason for _, reason in self.starts]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Bench(NamedTuple):
    """A batcher and what stands round it."""

    batcher: Batcher
    runner: Any
    engine: FakeEngine
    observer: Observer
    clock: Clock


RUNNERS = {"held": HeldRunner, "loop": LoopRunner, "thread": ThreadRunner}


def build_bench(runner="held", engine=None, cost=0.001, **limits) -> Bench:
    made = []
    engine, observer, clock = engine or FakeEngine(), Observer(), Clock()

    def make_runner(model):
        made.append(RUNNERS[runner](model))
        return made[0]

    batcher = Batcher(
        engine, BatchLimits(**limits), observer, make_runner, seconds_per_text=cost, clock=clock
    )
    return Bench(batcher, made[0], engine, observer, clock)


@pytest.fixture
async def bench():
    """Builds batchers, `bench(runner="held", engine=None, cost=0.001, **limits)`; closes them."""
    built: list[Bench] = []

    def build(*args, **kwargs) -> Bench:
        built.append(build_bench(*args, **kwargs))
        return built[-1]

    yield build
    for item in built:
        item.batcher.close()


@pytest.fixture(scope="session")
def unmanaged_bench():
    """The same without closing, for tests that bring their own event loop."""
    return build_bench


@pytest.fixture(scope="session")
def fake_engine():
    return FakeEngine


@pytest.fixture
def artifact(tmp_path):
    """Writes an artifact folder, `artifact(name, **manifest members)`, and returns it."""

    def write(name: str, /, **members: object) -> Path:
        folder = tmp_path / "artifacts" / name
        folder.mkdir(parents=True)
        (folder / "weights.bin").write_bytes(name.encode())
        manifest = {
            "name": name,
            "version": "1.2.3",
            "kind": "spacy",
            "labels": list(LABELS),
            "language": "fr",
            "files": {"weights.bin": hashlib.sha256(name.encode()).hexdigest()},
            "licence": "Apache-2.0",
            "created_by": "a test",
        }
        (folder / "manifest.json").write_text(json.dumps(manifest | members), encoding="utf-8")
        return folder

    return write
