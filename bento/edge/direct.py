"""Whole answers written at once to uvicorn's connection.

uvicorn takes an answer in two messages and checks each header against two patterns: a third of
what a small answer costs. Our headers are our own, and our answers are always whole, so they are
written here in one piece. Anything unusual goes through ASGI's `send`, as under any other server.
"""

from http import HTTPStatus
from typing import Final

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from bento.edge.flow import Intake
from bento.edge.messages import Send

Headers = list[tuple[bytes, bytes]]

_STATUS_LINES: Final = {
    status.value: b"HTTP/1.1 %d %b\r\n" % (status.value, status.phrase.encode())
    for status in HTTPStatus
}


class DirectWriter:
    """Writes answers of one process, keeping the part that all of them share."""

    def __init__(self) -> None:
        """Nothing is kept yet."""
        self._defaults: Headers | None = None
        self._default_lines = b""

    def write(
        self, send: Send, status: int, headers: Headers, body: bytes, rest: float = 0
    ) -> bool:
        """Write the answer and end the request; False when it must go through `send`.

        With `rest` the next request of the connection is read so many seconds later.
        """
        cycle = getattr(send, "__self__", None)
        if (
            type(cycle) is not RequestResponseCycle
            or cycle.response_started
            or cycle.disconnected
            or cycle.access_log
            or cycle.waiting_for_100_continue
            or cycle.flow.write_paused
            or cycle.scope["method"] == "HEAD"
        ):
            return False
        if (b"connection", b"close") in headers:
            cycle.keep_alive = False
        elif not cycle.keep_alive:
            headers = [*headers, (b"connection", b"close")]
        cycle.transport.write(self.encode(status, cycle.default_headers, headers, body))
        cycle.response_started = cycle.response_complete = True
        cycle.chunked_encoding = False
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        elif rest and isinstance(cycle.flow, Intake):
            cycle.flow.rest(rest)
        cycle.on_response()
        return True

    def encode(self, status: int, defaults: Headers, headers: Headers, body: bytes) -> bytes:
        """The answer's bytes; `defaults` are the server's headers, of which uvicorn makes a new
        list each second.
        """
        if defaults is not self._defaults:
            self._defaults = defaults
            self._default_lines = _lines(defaults)
        return b"%b%b%b\r\n%b" % (_STATUS_LINES[status], self._default_lines, _lines(headers), body)


def _lines(headers: Headers) -> bytes:
    return b"".join([b"%b: %b\r\n" % header for header in headers])
