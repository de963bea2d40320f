"""Answers written to uvicorn's connection, as bytes: the real protocol on a transport of ours."""

import asyncio
from http.client import HTTPResponse
from io import BytesIO

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from bento.edge.direct import DirectWriter


class Socket:
    """What HTTPResponse reads from."""

    def __init__(self, data):
        self._file = BytesIO(data)

    def makefile(self, mode):
        return self._file


@pytest.fixture
async def converse(new_wire):
    """Sends raw bytes; the wire, and how each answer was written (True: directly)."""

    async def run(data, headers=(), **config):
        writer, direct = DirectWriter(), []
        handled = asyncio.Event()

        async def app(scope, receive, send):
            body = scope["path"].encode()
            own = [(b"content-length", b"%d" % len(body)), *headers]
            direct.append(writer.write(send, 200, own, body))
            if not direct[-1]:
                await send({"type": "http.response.start", "status": 200, "headers": own})
                await send({"type": "http.response.body", "body": body})
            handled.set()

        settings = uvicorn.Config(
            app, lifespan="off", log_config=None, **({"access_log": False} | config)
        )
        settings.load()
        wire = new_wire()
        protocol = HttpToolsProtocol(settings, ServerState(), {}, asyncio.get_running_loop())
        protocol.server_state.default_headers = [(b"server", b"uvicorn")]
        protocol.connection_made(wire)
        protocol.data_received(data)
        await asyncio.wait_for(handled.wait(), 5)
        while protocol.tasks:
            await asyncio.gather(*protocol.tasks)
            await asyncio.sleep(0)
        wire.ended = wire.closed
        protocol.connection_lost(None)
        return wire, direct

    return run


def read(wire, method="GET"):
    response = HTTPResponse(Socket(wire.written), method=method)
    response.begin()
    return response, response.read()


@pytest.mark.parametrize("direct", [True, False])
async def test_answer_is_the_same_either_way(converse, direct):
    wire, ways = await converse(
        b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", [(b"x-own", b"1")], access_log=not direct
    )
    assert ways == [direct]
    response, body = read(wire)
    assert (response.status, response.reason, body) == (200, "OK", b"/hello")
    assert sorted(name.lower() for name, _ in response.getheaders()) == [
        "content-length",
        "server",
        "x-own",
    ]
    assert not wire.ended


async def test_requests_that_follow_at_once_are_all_answered_in_order(converse):
    wire, ways = await converse(
        b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(3))
    )
    assert ways == [True] * 3
    assert wire.written.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert [part[:2] for part in wire.written.split(b"\r\n\r\n")[1:]] == [b"/0", b"/1", b"/2"]


@pytest.mark.parametrize(
    ("request_line", "header"), [(b"HTTP/1.1", b"Connection: close\r\n"), (b"HTTP/1.0", b"")]
)
async def test_client_that_wants_the_end_gets_it(converse, request_line, header):
    wire, ways = await converse(b"GET / " + request_line + b"\r\nHost: x\r\n" + header + b"\r\n")
    response, _ = read(wire)
    assert ways == [True]
    assert response.getheader("connection") == "close"
    assert wire.ended


async def test_answer_that_says_close_closes(converse):
    wire, _ = await converse(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", [(b"connection", b"close")])
    response, _ = read(wire)
    assert response.headers.get_all("connection") == ["close"]
    assert wire.ended


async def test_head_has_no_body(converse):
    wire, ways = await converse(b"HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n")
    assert ways == [False]
    response, body = read(wire, "HEAD")
    assert response.getheader("content-length") == "6"
    assert body == b""
    assert wire.written.endswith(b"\r\n\r\n")


async def test_body_that_was_not_read_is_not_taken_for_a_request(converse):
    wire, ways = await converse(
        b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nGET /"
        b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n"
    )
    assert len(ways) == 2
    assert wire.written.endswith(b"\r\n\r\n/b")


async def test_client_that_waits_for_leave_to_send_goes_through_uvicorn(converse):
    _, ways = await converse(
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    )
    assert ways == [False]


def test_another_servers_send_is_not_written_to():
    async def send(message):
        raise AssertionError

    assert DirectWriter().write(send, 200, [], b"") is False
