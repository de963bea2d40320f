"""What a batcher takes and gives: its bounds, requests on their way, predictions."""

from asyncio import Future
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from bento.engines import Scores
from nlpserve.metrics import BatchReason

_SETTLED: Final = -(1 << 60)  # so far below zero that counting down never brings it back to zero


class Prediction(NamedTuple):
    """The winning label's position and all scores, in the order of the model's labels."""

    top: int
    scores: list[float]


class Reply(Protocol):
    """Who waits for a request's predictions: an asyncio.Future, or what answers at once."""

    def done(self) -> bool:
        """Whether nobody waits any more."""

    def set_result(self, result: list[Prediction], /) -> None:
        """All predictions, in the order of the texts. Must not raise."""

    def set_exception(self, exception: Exception, /) -> None:
        """Why there are none. Must not raise."""


class ClientLeft(Exception):
    """Nobody waits for the answer any more, and nothing was computed for it."""


class Awaited:
    """A future that a handler awaits; it gets ClientLeft if `left` is true once its turn comes."""

    __slots__ = ("_future", "_left", "set_exception", "set_result")

    def __init__(self, future: Future[list[Prediction]], left: Callable[[], bool]) -> None:
        """`left` is asked when a batch is made."""
        self._future = future
        self._left = left
        self.set_result = future.set_result
        self.set_exception = future.set_exception

    def done(self) -> bool:
        """Whether it has its answer, or nobody who wants one."""
        if not self._future.done() and self._left():
            self._future.set_exception(ClientLeft())
        return self._future.done()


class BatchObserver(Protocol):
    """Hears of each batch: its start, each group that the model finished, its end."""

    def observe_start(self, waits: Sequence[float], reason: BatchReason) -> None:
        """A batch goes: how long each of its texts waited, in seconds, and why it goes now."""

    def observe_group(self, texts: Sequence[str], tops: Sequence[int], scores: Scores) -> None:
        """One group is done: its texts, the winners' positions, scores [n, labels]."""

    def observe_end(self, seconds: float) -> None:
        """The batch is done, after so many seconds."""


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Bounds of one model's batcher."""

    batch_size: int = 64
    queue: int = 2048
    deadline_seconds: float = 5.0
    stall_seconds: float = 60.0


class PendingRequest:
    """The texts of one request and who waits for all of them."""

    __slots__ = ("_missing", "_results", "arrived", "reply", "texts")

    def __init__(self, texts: Sequence[str], arrived: float, reply: Reply) -> None:
        """`arrived` is the batcher's clock."""
        self.texts = texts
        self.arrived = arrived
        self.reply = reply
        self._missing = len(texts)
        self._results: list[Prediction | None] = [None] * len(texts)

    def put(self, position: int, prediction: Prediction) -> bool:
        """Keep one text's prediction; True when it was the last that was missing."""
        self._results[position] = prediction
        self._missing -= 1
        return self._missing == 0

    def settle(self) -> bool:
        """Count the request out, whichever way it ended; True the first time only."""
        first = self._missing >= 0
        self._missing = _SETTLED
        return first

    def answer(self) -> None:
        """Give all predictions to who waits, if anyone still does."""
        if not self.reply.done():
            self.reply.set_result([result for result in self._results if result is not None])

    def fail(self, error: Exception) -> None:
        """Give the error to who waits, if anyone still does."""
        if not self.reply.done():
            self.reply.set_exception(error)
