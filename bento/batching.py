"""The batcher: takes all that waits whenever the model is free, within bounds of queue and time.

A lone text goes at once; under load the batch grows by itself, because more waits each time the
model becomes free. There is no timer that holds a text back, so nothing to tune.
"""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from bento import refusals
from bento.engines import Engine
from bento.execution import Failure, Outcome, Runner
from bento.pending import Awaited, BatchLimits, BatchObserver, PendingRequest, Prediction, Reply
from bento.turns import Turns
from nlpserve.errors import ModelFailed
from nlpserve.metrics import BatchReason

logger = logging.getLogger(__name__)

BATCH_CHARACTERS: Final = 16_384
"""Characters of one batch, unless one text alone is longer: bounds how long a batch can take."""
SWEEP_SECONDS: Final = 0.25
"""How often waiting texts are checked against their deadline, and the batch against a stall."""
COST_WEIGHT: Final = 0.2
"""Weight of the newest full batch in the running mean of seconds a text."""

_Entry = tuple[PendingRequest, int]


class Batcher:
    """Queue and dispatcher of one model. Every method runs on the event loop."""

    def __init__(
        self,
        engine: Engine,
        limits: BatchLimits,
        observer: BatchObserver,
        make_runner: Callable[[Engine], Runner],
        *,
        seconds_per_text: float,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`seconds_per_text` is the model's measured cost in full batches, from the warm-up."""
        self._loop = asyncio.get_running_loop()
        self._limits = limits
        self._observer = observer
        self._clock = clock
        self._queue: deque[_Entry] = deque()
        self._batch: list[_Entry] = []
        self._batch_started = self._batch_ended = 0.0
        self._cost = seconds_per_text
        self._full = self._scheduled = False
        self._dead: str | None = None
        self._runner = make_runner(engine)
        self._runner.start(self._on_outcome, self._on_done, self.fail_all)
        self._turns = Turns(
            self._dispatch, self._queue.__len__, limits.batch_size, self._runner.rest_turns
        )
        self._sweeper = self._loop.call_later(SWEEP_SECONDS, self._sweep)
        self.in_flight = 0

    @property
    def queue_depth(self) -> int:
        """Texts that wait for the model."""
        return len(self._queue)

    @property
    def seconds_per_text(self) -> float:
        """The model's cost of one text in full batches, a running mean."""
        return self._cost

    @property
    def alive(self) -> bool:
        """Whether the model can still answer."""
        return self._dead is None

    def submit(
        self, texts: Sequence[str], left: Callable[[], bool] | None = None
    ) -> asyncio.Future[list[Prediction]]:
        """Queue a request's texts; the future holds their predictions. Else as `put`.

        It gets ClientLeft when `left` is true once their turn comes.
        """
        future: asyncio.Future[list[Prediction]] = self._loop.create_future()
        self.put(texts, Awaited(future, left) if left else future)
        return future

    def put(self, texts: Sequence[str], reply: Reply) -> None:
        """Queue a request's texts; the reply gets their predictions in the same order.

        Raises Overloaded when the queue has no room for them, when they have no chance to meet
        the deadline, or when the model is dead. The reply gets Overloaded when they wait past the
        deadline after all, and ModelFailed when the model raises on one of them.
        """
        depth = len(self._queue)
        if self._dead is not None:
            raise refusals.dead(self._dead)
        if depth + len(texts) > self._limits.queue:
            raise refusals.full(depth, self._limits.queue, self._retry_after())
        expected = (depth + len(self._batch)) * self._cost
        if expected > self._limits.deadline_seconds:
            limit = self._limits.deadline_seconds
            raise refusals.hopeless(expected, limit, self._retry_after())
        request = PendingRequest(texts, self._clock(), reply)
        if len(texts) == 1:
            self._queue.append((request, 0))
        else:
            self._queue.extend((request, position) for position in range(len(texts)))
        self.in_flight += len(texts)
        if not self._batch and not self._scheduled:
            self._scheduled = True
            self._turns.gather(BatchReason.IDLE)

    def fail_all(self, why: str) -> None:
        """The model is dead: everything accepted gets its 503 now, nothing new is taken."""
        if self._dead is None:
            logger.critical("The model is dead: %s", why)
        self._dead = why
        error = refusals.dead(why)
        for request, _ in [*self._batch, *self._queue]:
            self._fail(request, error)
        self._batch = []
        self._queue.clear()

    def close(self) -> None:
        """Stop; what still waits fails with 503."""
        self._sweeper.cancel()
        if self.alive:
            self._dead = "the server stops"
            self.fail_all(self._dead)
        self._runner.stop()

    def _retry_after(self) -> int:
        return max(1, math.ceil((len(self._queue) + len(self._batch)) * self._cost))

    def _dispatch(self, reason: BatchReason) -> None:
        self._scheduled = False
        if self._batch or self._dead is not None:
            return
        now = self._clock()
        self._batch = batch = self._take(now)
        if not batch:
            return
        if self._queue:
            reason = BatchReason.FULL
        self._batch_started = now
        self._observer.observe_start([now - request.arrived for request, _ in batch], reason)
        self._runner.run([request.texts[position] for request, position in batch])

    def _take(self, now: float) -> list[_Entry]:
        """The oldest entries, up to the batch's bounds; those past their deadline fail here."""
        batch: list[_Entry] = []
        characters = 0
        self._full = False
        self._expire(now)
        while self._queue and len(batch) < self._limits.batch_size:
            request, position = self._queue[0]
            if request.reply.done():  # its client went away, or another of its texts failed
                self._settle(request)
                self._queue.popleft()
                continue
            characters += len(request.texts[position])
            if batch and characters > BATCH_CHARACTERS:
                self._full = True
                break
            batch.append(self._queue.popleft())
        return batch

    def _expire(self, now: float) -> None:
        oldest = now - self._limits.deadline_seconds
        while self._queue and self._queue[0][0].arrived < oldest:
            request, _ = self._queue.popleft()
            limit = self._limits.deadline_seconds
            self._fail(request, refusals.expired(limit, self._retry_after()))

    def _on_outcome(self, outcome: Outcome) -> None:
        """A group of the running batch is done, or one of its texts failed."""
        self._batch_ended = self._clock()  # what follows answers, which is not the model's time
        if self._dead is not None:
            return
        if isinstance(outcome, Failure):
            request, _ = self._batch[outcome.position]
            self._fail(request, ModelFailed("The model failed on this text."))
            return
        positions, scores = outcome
        tops: list[int] = np.argmax(scores, axis=1).tolist()
        entries = [self._batch[position] for position in positions]
        for (request, position), top, row in zip(entries, tops, scores.tolist(), strict=True):
            if request.put(position, Prediction(top, row)):
                self._settle(request)
                request.answer()
        self._observer.observe_group(
            [request.texts[position] for request, position in entries], tops, scores
        )

    def _on_done(self) -> None:
        """The model is free again."""
        if self._dead is not None:
            return
        size, seconds = len(self._batch), self._batch_ended - self._batch_started
        if self._full or 2 * size >= self._limits.batch_size:
            self._cost += COST_WEIGHT * (seconds / size - self._cost)
        self._batch = []
        self._observer.observe_end(seconds)
        if self._queue:
            self._scheduled = True
            self._turns.rest(seconds)

    def _sweep(self) -> None:
        now = self._clock()
        self._expire(now)
        if self._batch and now - self._batch_started > self._limits.stall_seconds:
            self.fail_all(f"a batch has run for more than {self._limits.stall_seconds:g} s")
        self._sweeper = self._loop.call_later(SWEEP_SECONDS, self._sweep)

    def _fail(self, request: PendingRequest, error: Exception) -> None:
        self._settle(request)
        request.fail(error)

    def _settle(self, request: PendingRequest) -> None:
        if request.settle():
            self.in_flight -= len(request.texts)
