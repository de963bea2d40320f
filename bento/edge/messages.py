"""Requests and responses of the lean layer: only what the routes need of ASGI."""

import itertools
import os
import re
from abc import ABC, abstractmethod
from asyncio import Future, get_running_loop
from binascii import a2b_qp
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import orjson

from bento.pending import ClientLeft, Prediction, Reply
from nlpserve.errors import InvalidRequest, NlpserveError
from nlpserve.metrics import NO_MODEL

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

JSON: Final = b"application/json"
TEXT: Final = b"text/plain; charset=utf-8"
HTML: Final = b"text/html; charset=utf-8"

_SAFE_ID: Final = re.compile(rb"[\x21-\x7e]{1,128}").fullmatch
_SAFE_TRACEPARENT: Final = re.compile(
    rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"
).fullmatch
_process_id: Final = os.urandom(6).hex().encode()
_numbers: Final = itertools.count(1)


class Request:
    """One HTTP request. `model` and `route` are its metric labels, set as they become known.

    `shed`: turned away because too many wait.
    """

    __slots__ = ("answered", "error", "headers", "method", "model", "path", "query", "receive",
                 "request_id", "route", "shed", "status", "texts", "traceparent")  # fmt: skip

    def __init__(self, scope: Scope, receive: Receive) -> None:
        """Read the scope; the body is read by the routes that want one."""
        self.receive = receive
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: bytes = scope["query_string"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.model = NO_MODEL
        self.route = ""
        self.status = 500
        self.texts: list[str] = []
        self.answered = self.shed = False
        self.error: NlpserveError | ClientLeft | None = None
        given = self.headers.get(b"x-request-id")
        self.request_id: bytes = (
            given if given and _SAFE_ID(given) else b"%b-%x" % (_process_id, next(_numbers))
        )
        trace = self.headers.get(b"traceparent")
        self.traceparent: bytes | None = trace if trace and _SAFE_TRACEPARENT(trace) else None

    def left(self) -> bool:
        """Whether the client is gone; uvicorn's cycle knows, another server may not say."""
        return getattr(getattr(self.receive, "__self__", None), "disconnected", False) is True


class Response:
    """Status, body and headers beyond content-type and content-length."""

    __slots__ = ("body", "content_type", "headers", "status")

    def __init__(
        self,
        body: bytes,
        content_type: bytes = JSON,
        status: int = 200,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        """`body` is sent whole."""
        self.body = body
        self.content_type = content_type
        self.status = status
        self.headers = headers


Handler = Callable[[Request], Awaitable[Response]]


class Direct(ABC):
    """A route that needs no body: it begins with who waits, and responds to what that one got.

    Called, it is an ordinary handler; `protocol` calls its halves without a task.
    """

    @abstractmethod
    def begin(self, request: Request, reply: Reply) -> None:
        """Submit what the request asks for. Raises any NlpserveError."""

    @abstractmethod
    def respond(self, request: Request, predictions: list[Prediction]) -> Response:
        """The answer."""

    async def __call__(self, request: Request) -> Response:
        """Both halves, as a handler."""
        future: Future[list[Prediction]] = get_running_loop().create_future()
        self.begin(request, future)
        return self.respond(request, await future)


def json_response(content: object, status: int = 200) -> Response:
    """A JSON response."""
    return Response(orjson.dumps(content), JSON, status)


def query_values(query: bytes, name: bytes) -> list[str]:
    """Values of a query parameter, in order. Raises InvalidRequest when one is not UTF-8."""
    values = []
    for pair in query.split(b"&"):
        key, _, value = pair.partition(b"=")
        if key == name or _unquote(key) == name:
            try:
                values.append(_unquote(value).decode())
            except UnicodeDecodeError:
                raise InvalidRequest(f"{name.decode()} is not UTF-8.") from None
    return values


def _unquote(quoted: bytes) -> bytes:
    """Undo percent-encoding and plus signs."""
    spaced = quoted.replace(b"+", b" ").replace(b"%20", b" ")  # most escapes are spaces
    escapes = spaced.count(b"%")
    if not escapes:
        return spaced
    if b"\n" not in spaced and b"\r" not in spaced:
        # Quoted-printable is the same with another sign, and decoded in C. An escape that is none
        # leaves more bytes than one.
        plain = a2b_qp(spaced.replace(b"=", b"=3D").replace(b"%", b"="))
        if len(plain) == len(spaced) - 2 * escapes:
            return plain
    return unquote_to_bytes(spaced)
