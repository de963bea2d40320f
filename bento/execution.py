"""Where a model runs: on the event loop, or on a thread of its own.

A model that holds the GIL for short batches runs on the loop: handing each batch to a thread and
back costs more than it hides. One that releases the GIL, or takes long, gets a thread.
"""

import asyncio
import logging
import queue
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeVarTuple

from bento.engines import Engine, Scores

logger = logging.getLogger(__name__)

_Arguments = TypeVarTuple("_Arguments")


class Failure(NamedTuple):
    """The model raised on the text at this position of the batch."""

    position: int


Outcome = tuple[Sequence[int], Scores] | Failure
OnOutcome = Callable[[Outcome], None]


def classify(engine: Engine, texts: Sequence[str]) -> Iterator[Outcome]:
    """Run the engine; what it did not answer is tried alone, so that only the culprit fails."""
    left = set(range(len(texts)))
    try:
        for positions, scores in engine.predict(texts):
            left.difference_update(positions)
            yield positions, scores
    except (SystemExit, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001  whatever a model raises is its text's failure
        # alone; a panic of a tokenizer in Rust is no Exception
        if len(texts) == 1:
            # Where and what, but not the error's own words: they may quote the text.
            logger.error(  # noqa: TRY400
                "The model raised %s on a text of %d characters at\n%s",
                type(error).__name__,
                len(texts[0]),
                "".join(traceback.format_tb(error.__traceback__)),
            )
        else:
            logger.warning("A batch of %d failed; what is left is tried alone", len(texts))
    for position in sorted(left):
        if len(texts) == 1:
            yield Failure(position)
            continue
        for outcome in classify(engine, [texts[position]]):
            yield Failure(position) if isinstance(outcome, Failure) else ([position], outcome[1])


class Runner(Protocol):
    """Runs one batch at a time. `rest_turns`: turns of the loop that it leaves between two."""

    rest_turns: int

    def start(
        self,
        on_outcome: OnOutcome,
        on_done: Callable[[], None],
        on_death: Callable[[str], None],
    ) -> None:
        """The callbacks are called on the event loop, in this order, `on_done` once a batch."""

    def run(self, texts: Sequence[str]) -> None:
        """Start a batch; the one before must be done."""

    def stop(self) -> None:
        """End, without waiting for a batch that runs."""


class LoopRunner:
    """Runs the model where it is called, on the event loop."""

    # uvloop accepts one connection a turn: without these a busy model would keep new clients out.
    rest_turns = 8

    def __init__(self, engine: Engine) -> None:
        """Take the engine; nothing runs yet."""
        self._engine = engine

    def start(
        self,
        on_outcome: OnOutcome,
        on_done: Callable[[], None],
        on_death: Callable[[str], None],  # unused: the loop's death is the process's
    ) -> None:
        """Keep the callbacks."""
        self._on_outcome = on_outcome
        self._on_done = on_done

    def run(self, texts: Sequence[str]) -> None:
        """Run the batch and report each group before returning."""
        for outcome in classify(self._engine, texts):
            self._on_outcome(outcome)
        self._on_done()

    def stop(self) -> None:
        """Nothing to end."""


class ThreadRunner:
    """Runs the model on one thread of its own."""

    rest_turns = 0  # the loop turns while the model runs

    def __init__(self, engine: Engine) -> None:
        """Take the engine; the thread starts with `start`."""
        self._engine = engine
        self._loop = asyncio.get_running_loop()
        self._batches: queue.SimpleQueue[Sequence[str] | None] = queue.SimpleQueue()

    def start(
        self,
        on_outcome: OnOutcome,
        on_done: Callable[[], None],
        on_death: Callable[[str], None],
    ) -> None:
        """Start the thread."""
        self._on_outcome = on_outcome
        self._on_done = on_done
        self._on_death = on_death
        threading.Thread(target=self._work, name="model", daemon=True).start()

    def run(self, texts: Sequence[str]) -> None:
        """Hand the batch over."""
        self._batches.put(texts)

    def stop(self) -> None:
        """End the thread after the batch that runs."""
        self._batches.put(None)

    def _work(self) -> None:
        why = "its thread ended"
        try:
            while (texts := self._batches.get()) is not None:
                for outcome in classify(self._engine, texts):
                    self._call(self._on_outcome, outcome)
                self._call(self._on_done)
            why = ""
        except BaseException as error:
            why = f"its thread raised {type(error).__name__}"
            raise
        finally:
            if why:
                self._call(self._on_death, why)

    def _call(self, callback: Callable[[*_Arguments], None], *args: *_Arguments) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(callback, *args)
