"""One HTTP/1.1 connection that does nothing on its own: no retry, no redirect, no second attempt.

A library's client would hide what is counted here: aiohttp and requests send again on a kept
connection that broke, and pools drop closed connections unseen.
"""

import asyncio
import errno
import select
from typing import Final, NamedTuple

import httptools

from nlpserve.load_results import Outcome

MAX_ANSWER_BYTES: Final = 1 << 20
_UNREACHABLE: Final = frozenset(
    {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}
)
_RESET: Final = frozenset({errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED})


class Response(NamedTuple):
    """A whole answer; `close`: the server said that it ends the connection."""

    status: int
    body: bytes
    close: bool


class Lost(Exception):
    """A request got no whole answer."""

    def __init__(self, outcome: Outcome, detail: str) -> None:
        """`outcome` is none of those that have a status."""
        super().__init__(detail)
        self.outcome = outcome
        self.detail = detail


def lost(error: OSError) -> Lost:
    """What an error of the socket means. Raises it again when it is this machine's own fault."""
    if isinstance(error, ConnectionRefusedError):
        return Lost(Outcome.REFUSED, "connection refused")
    if error.errno in _UNREACHABLE:
        return Lost(Outcome.UNREACHABLE, error.strerror or "unreachable")
    if error.errno in _RESET:
        return Lost(Outcome.RESET, "reset")
    if error.errno == errno.ETIMEDOUT:
        return Lost(Outcome.TIMED_OUT, "no answer to the connection")
    raise error  # no port, no descriptor: nothing that the target did


class Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self) -> None:
        """Not connected yet."""
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Response] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._body = bytearray()
        self._received = 0
        self._open = False

    @classmethod
    async def open(cls, host: str, port: int) -> "Connection":
        """Raises Lost when nobody takes it, OSError when this machine cannot."""
        try:
            _, connection = await asyncio.get_running_loop().create_connection(cls, host, port)
        except OSError as error:
            raise lost(error) from None
        return connection

    @property
    def usable(self) -> bool:
        """Whether it takes a request: bytes on an idle connection say that the server left it.

        Asks the socket itself, since the loop may not have seen yet what has arrived.
        """
        if self._transport is None or not self._open:
            return False
        poll = select.poll()
        poll.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        return not poll.poll(0)

    async def exchange(self, request: bytes) -> Response:
        """Send the request and wait for the whole answer. Raises Lost."""
        if self._transport is None:
            raise Lost(Outcome.RESET, "closed before the request was sent")
        self._answer = asyncio.get_running_loop().create_future()
        self._received = 0
        self._transport.write(request)
        try:
            return await self._answer
        finally:
            self._answer = None

    def abort(self) -> None:
        """End it without waiting for anything."""
        self._open = False
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """End it in order."""
        self._open = False
        if self._transport is not None:
            self._transport.close()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It stands."""
        self._transport = transport  # type: ignore[assignment]  # uvloop's is none by class
        self._open = True

    def data_received(self, data: bytes) -> None:
        """Part of an answer, or bytes that nobody asked for."""
        self._received += len(data)
        if self._answer is None or self._answer.done():
            self._fail("bytes that nobody asked for")
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(f"no HTTP: {error}")
        if self._received > MAX_ANSWER_BYTES:
            self._fail(f"more than {MAX_ANSWER_BYTES} bytes")

    def eof_received(self) -> None:
        """The server sends no more; the transport closes itself."""
        self._open = False

    def connection_lost(self, exc: Exception | None) -> None:
        """It ended; a request that waits is lost."""
        self._fail(f"{'reset' if exc else 'closed'} after {self._received} bytes of the answer")

    # What the parser calls.

    def on_message_begin(self) -> None:
        """An answer begins."""
        self._body.clear()

    def on_body(self, body: bytes) -> None:
        """Part of its body."""
        self._body += body

    def on_message_complete(self) -> None:
        """It is whole; a connection with `Connection: close` takes no further request."""
        status = self._parser.get_status_code()
        if status < 200:  # an interim answer; the one that counts follows
            return
        close = not self._parser.should_keep_alive()
        self._open = self._open and not close
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Response(status, bytes(self._body), close))

    def _fail(self, detail: str) -> None:
        self.abort()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Lost(Outcome.RESET, detail))
