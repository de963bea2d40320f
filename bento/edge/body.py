"""Reading a request's body: bounded in bytes, in time and in depth."""

import asyncio
from typing import Final

import orjson

from bento.edge.messages import JSON, Request
from bento.limits import Limits
from nlpserve.errors import InvalidRequest, LimitExceeded, SlowBody, UnsupportedMediaType

CLOSE = (("connection", "close"),)
"""Sent when a body was left unread, so that its rest is not taken for the next request."""


MOST_DIGITS: Final = 18


class Disconnected(Exception):
    """The client left before its body was whole: there is nobody to answer."""


async def read_body(request: Request, limits: Limits) -> bytes:
    """The whole body.

    Raises LimitExceeded past `max_body_bytes`, SlowBody past `body_timeout_seconds`, Overloaded
    past `max_open_body_bytes`, Disconnected when the client leaves.
    """
    declared = whole_number(request.headers.get(b"content-length", b""))
    if declared is not None and declared > limits.body_bytes:
        raise _too_large(limits)
    chunks: list[bytes] = []
    size = 0
    counted = 0
    try:
        async with asyncio.timeout(limits.body_timeout_seconds):
            while True:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise Disconnected
                chunk = message.get("body", b"")
                size += len(chunk)
                if size > limits.body_bytes:
                    raise _too_large(limits)
                chunks.append(chunk)
                if not message.get("more_body"):
                    return b"".join(chunks)
                limits.open_bodies.add(len(chunk))
                counted += len(chunk)
    except TimeoutError:
        raise SlowBody(
            f"The body did not arrive within {limits.body_timeout_seconds:g} s"
            " (body_timeout_seconds).",
            headers=CLOSE,
        ) from None
    finally:
        limits.open_bodies.size -= counted


async def read_json(request: Request, limits: Limits) -> object:
    """The body as JSON.

    Raises UnsupportedMediaType unless the request says that it is JSON, InvalidRequest when it is
    not, LimitExceeded when it nests deeper than `max_json_depth`, and as `read_body` does.
    """
    body = await read_body(request, limits)
    if not is_json(request):
        raise UnsupportedMediaType("Send the body as application/json.")
    return parse_json(body, limits)


def whole_number(digits: bytes) -> int | None:
    """The number that a header spells, or None: other characters, or more digits than a size has.

    Python refuses to read numbers of thousands of digits, with an error of its own.
    """
    return int(digits) if digits.isdigit() and len(digits) <= MOST_DIGITS else None


def is_json(request: Request) -> bool:
    """Whether the content type is JSON, in whatever case and with whatever parameters."""
    given = request.headers.get(b"content-type", b"")
    return given == JSON or given.split(b";", 1)[0].strip().lower() == JSON


def parse_json(body: bytes, limits: Limits) -> object:
    """Parse, bounded in depth. Raises as `read_json` does."""
    if not body:
        raise InvalidRequest("The body is empty; send JSON.")
    if body.count(b"[") + body.count(b"{") > limits.json_depth:
        _check_depth(body, limits.json_depth)
    try:
        content: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(
            f"The body is not JSON: {error.msg}, line {error.lineno}, column {error.colno}."
        ) from None
    return content


def _check_depth(body: bytes, limit: int) -> None:
    """Count open brackets outside strings; wrong JSON is left to the parser to name."""
    depth = 0
    for part in _outside_strings(body):
        for byte in part:
            if byte in b"[{":
                depth += 1
                if depth > limit:
                    raise LimitExceeded(
                        f"The body nests deeper than {limit} levels (max_json_depth)."
                    )
            elif byte in b"]}":
                depth -= 1


def _outside_strings(body: bytes) -> list[bytes]:
    bare = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    return bare.split(b'"')[::2]


def _too_large(limits: Limits) -> LimitExceeded:
    return LimitExceeded(
        f"The body is over {limits.body_bytes} bytes (max_body_bytes).", headers=CLOSE
    )
