"""HTTP/1.1 responses out of a stream of packets: only what a load generator must know."""

from typing import Final, NamedTuple

MAX_HEAD_BYTES: Final = 65_536
_END_OF_HEAD: Final = b"\r\n\r\n"
_LENGTH: Final = b"\r\ncontent-length:"
_WITHOUT_BODY: Final = frozenset({204, 304})


class MalformedResponse(Exception):
    """The stream is no response that this client reads; the connection is of no more use."""


class Response(NamedTuple):
    """Status, body, and whether the server closes the connection after it."""

    status: int
    body: bytes
    close: bool


class ResponseReader:
    """Collects packets until a response is whole; what is left over belongs to the next one."""

    def __init__(self) -> None:
        """One reader for one connection."""
        self._buffer = b""

    def feed(self, data: bytes) -> list[Response]:
        """The responses that these bytes complete, in order.

        Raises MalformedResponse for what is not HTTP, and for a body without a Content-Length:
        chunked answers are not read, since the measured routes send none.
        """
        buffer = self._buffer + data if self._buffer else data
        responses = []
        while (end := buffer.find(_END_OF_HEAD)) >= 0:
            head = buffer[: end + 2].lower()
            status = _status(head)
            if status < 200:  # an interim answer; the one that counts follows
                buffer = buffer[end + 4 :]
                continue
            stop = end + 4 + (0 if status in _WITHOUT_BODY else _content_length(head))
            if len(buffer) < stop:
                break
            responses.append(Response(status, buffer[end + 4 : stop], _closes(head)))
            buffer = buffer[stop:]
        if end < 0 and len(buffer) > MAX_HEAD_BYTES:
            raise MalformedResponse(f"no end of the header in {len(buffer)} bytes")
        self._buffer = buffer
        return responses


def _status(head: bytes) -> int:
    digits = head[9:12]
    if not head.startswith((b"http/1.1 ", b"http/1.0 ")) or not digits.isdigit():
        raise MalformedResponse(f"it begins with {head[:20]!r}")
    return int(digits)


def _content_length(head: bytes) -> int:
    start = head.find(_LENGTH)
    if start < 0:
        raise MalformedResponse("it has no Content-Length")
    start += len(_LENGTH)
    value = head[start : head.index(b"\r\n", start)].strip()
    if not value.isdigit():
        raise MalformedResponse(f"its Content-Length is {value[:20]!r}")
    return int(value)


def _closes(head: bytes) -> bool:
    if b"\r\nconnection: close\r\n" in head:
        return True
    return head.startswith(b"http/1.0") and b"\r\nconnection: keep-alive\r\n" not in head
