"""One connection of the load generator, and what it shares with the others."""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple, Protocol, cast

from benchmarks.serving.responses import MalformedResponse, Response, ResponseReader


class Sample(NamedTuple):
    """One answered request; times are `perf_counter` seconds."""

    request: int  # position of the request sent
    started: float
    finished: float
    status: int
    body: bytes


class Shared(Protocol):
    """The run that the connections belong to."""

    requests: Sequence[bytes]
    samples: list[Sample]
    stopping: bool

    def take(self) -> int:
        """The index of the next request."""

    def fail(self, reason: str) -> None:
        """Note a request without a readable answer."""

    def opened(self, connection: "Connection") -> None:
        """A connection stands."""

    def closed(self, connection: "Connection") -> None:
        """A connection is gone."""

    def first_answer(self) -> None:
        """A connection had its first answer."""


class Connection(asyncio.Protocol):
    """One keep-alive connection that sends its next request when it has the answer."""

    def __init__(self, load: Shared) -> None:
        """It sends its first request as soon as it stands."""
        self._load = load
        self._reader = ResponseReader()
        self._index: int | None = None  # of the request in flight
        self._started = 0.0
        self._answers = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by class
        self._load.opened(self)
        self._send()

    def data_received(self, data: bytes) -> None:
        """Note the answer once it is whole, and send the next request."""
        now = time.perf_counter()
        try:
            responses = self._reader.feed(data)
        except MalformedResponse as error:
            self._give_up(str(error))
            return
        if self._index is None or len(responses) > 1:
            self._give_up("an answer that nobody asked for")
        elif responses:
            self._answered(self._index, responses[0], now)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note what was in flight."""
        if self._index is not None:
            self._load.fail(f"connection lost: {exc or 'closed by the server'}")
            self._index = None
        self._load.closed(self)

    @property
    def busy(self) -> bool:
        """Whether a request is in flight."""
        return self._index is not None

    def abort(self) -> None:
        """Give the request in flight up."""
        self._index = None
        self._transport.abort()

    def _give_up(self, why: str) -> None:
        self._load.fail(f"malformed: {why}")
        self.abort()

    def _answered(self, index: int, response: Response, now: float) -> None:
        self._load.samples.append(Sample(index, self._started, now, response.status, response.body))
        self._index = None
        if not self._answers:
            self._load.first_answer()
        self._answers += 1
        if response.close or self._load.stopping:
            self._transport.close()
        else:
            self._send()

    def _send(self) -> None:
        if self._load.stopping:
            self._transport.close()
            return
        self._index = index = self._load.take()
        self._started = time.perf_counter()
        self._transport.write(self._load.requests[index])
