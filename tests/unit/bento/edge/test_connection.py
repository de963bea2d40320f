"""Heads and what else is no request, on uvicorn's real protocol: bounded in bytes and in time."""

import asyncio
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

INTENT = b"GET /api/intent?sentence=x HTTP/1.1\r\nHost: here\r\n"
POST = b"POST /v1/models/intent/classify HTTP/1.1\r\nContent-Type: application/json\r\n"
BODY = b'{"texts": ["x"]}'
LIMIT = 8192


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.001)


def head(size):
    """A whole head of this size."""
    return INTENT + b"X: " + b"a" * (size - len(INTENT) - 7) + b"\r\n\r\n"


def last_problem(connection):
    return json.loads(connection.wire.written.rpartition(b"\r\n\r\n")[2])


async def rejected(house):
    series = await house.series()
    return {
        reason: count
        for (name, model, reason), count in (
            (key, count) for key, count in series.items() if key[0] == "nlpserve_rejected_total"
        )
        if count and model == "none" and name
    }


async def send(connection, data, step):
    """As a transport would: nothing while reading is paused, or when it is closed."""
    wire = connection.wire
    for start in range(0, len(data), step):
        await until(lambda: not wire.paused or wire.closed)
        if not wire.closed:
            connection.protocol.data_received(data[start : start + step])
    await until(lambda: not wire.paused or wire.closed)


@pytest.mark.parametrize("step", [1, 1000, 4096, 5000, 1 << 20])
async def test_a_head_is_measured_to_the_byte(connect, step):
    house, connection = await connect(max_head_bytes=LIMIT)
    assert len(head(LIMIT)) == LIMIT
    for _ in range(2):
        await send(connection, head(LIMIT), step)
        await until(lambda: connection.protocol.cycle.response_complete)
    assert connection.statuses() == [200, 200]
    await send(connection, head(LIMIT + 1), step)
    assert connection.statuses() == [200, 200, 431]
    assert "max_head_bytes" in last_problem(connection)["detail"]
    assert connection.wire.closed
    assert await rejected(house) == {"too_large": 1}
    assert (await house.series())["nlpserve_requests_total", "431", "none", "unmatched"] == 1


@pytest.mark.parametrize(
    "start", [INTENT + b"X: ", INTENT + b"X", b"GET /", b"\r\n", INTENT + b"X: a\r\n Y"]
)
async def test_nothing_of_a_head_without_end_is_kept(connect, start):
    _, connection = await connect(max_head_bytes=LIMIT)
    await send(connection, start + b"a" * 1_000_000, 100_000)
    assert connection.statuses() in ([431], [400])
    assert connection.wire.closed


async def test_many_small_headers_count_together(connect):
    _, connection = await connect(max_head_bytes=LIMIT)
    await send(connection, INTENT + b"a:\r\n" * LIMIT, 1 << 20)
    assert connection.statuses() == [431]
    assert len(connection.protocol.headers) < LIMIT // 4


async def test_many_small_requests_are_no_large_head(connect):
    _, connection = await connect(max_head_bytes=4096)
    count = 500
    await send(connection, (INTENT + b"\r\n") * count, 20_000)
    await until(lambda: len(connection.statuses()) == count)
    assert set(connection.statuses()) == {200}


@pytest.mark.parametrize(
    ("more", "status", "reason"),
    [
        (INTENT + b"X: " + b"a" * 20_000, 431, "too_large"),
        (b"\x16\x03\x01\x02\x00\x01", 400, "invalid"),
        (INTENT + b"X: half", 408, "slow_head"),
    ],
)
async def test_what_is_no_request_is_refused_behind_those_that_are(connect, more, status, reason):
    patience = 0.05 if reason == "slow_head" else 5
    house, connection = await connect(max_head_bytes=LIMIT, head_timeout_seconds=patience)
    connection.protocol.data_received((INTENT + b"\r\n") * 3 + more)
    await until(lambda: connection.wire.closed)
    assert connection.statuses() == [200, 200, 200, status]
    assert await rejected(house) == {reason: 1}
    assert last_problem(connection)["status"] == status
    assert house.runtime.lifecycle.open_requests == 0
    connection.protocol.data_received(INTENT + b"\r\n")
    assert len(connection.statuses()) == 4


async def test_a_head_that_trickles_gets_408(connect):
    house, connection = await connect(head_timeout_seconds=0.1)
    for byte in INTENT * 1000:
        if connection.wire.closed:
            break
        connection.protocol.data_received(bytes([byte]))
        await asyncio.sleep(0.005)
    assert connection.statuses() == [408]
    assert "head_timeout_seconds" in last_problem(connection)["detail"]
    assert await rejected(house) == {"slow_head": 1}


async def test_a_head_in_parts_is_answered_and_leaves_no_timer(connect):
    _, connection = await connect(head_timeout_seconds=0.2)
    for _ in range(2):
        connection.protocol.data_received(INTENT)
        connection.protocol.data_received(b"\r\n")
        await until(lambda: connection.protocol.cycle.response_complete)
    await asyncio.sleep(0.3)
    assert connection.statuses() == [200, 200]
    assert not connection.wire.closed


@pytest.mark.parametrize("before", [b"", b"\r\n", INTENT + b"\r\n", INTENT + b"\r\n\r\n"])
async def test_a_silent_client_is_let_go_without_a_count(connect, before):
    house, connection = await connect(keep_alive=0.05)
    connection.protocol.data_received(before)
    await until(lambda: connection.wire.closed)
    assert connection.statuses() == [200] * before.startswith(b"GET")
    assert await rejected(house) == {}


@pytest.mark.parametrize("rest", [b"x", b"xx"], ids=["cut", "whole"])
async def test_the_rest_of_a_body_that_nobody_wanted_does_not_hold_the_connection(connect, rest):
    house, connection = await connect(keep_alive=0.3, head_timeout_seconds=0.05)
    connection.protocol.data_received(b"POST /no HTTP/1.1\r\nContent-Length: 3\r\n\r\nx")
    await until(lambda: connection.protocol.cycle.response_complete)
    connection.protocol.data_received(rest)
    await until(lambda: connection.wire.closed)
    assert connection.statuses() == [404]
    assert await rejected(house) == {"invalid": 1}


async def test_trailers_are_bounded_as_heads_are(connect):
    house, connection = await connect(max_head_bytes=LIMIT)
    start = POST + b"Transfer-Encoding: chunked\r\n\r\n10\r\n" + BODY + b"\r\n0\r\n"
    await send(connection, start + b"X: a\r\n\r\n", 1 << 20)
    await until(lambda: connection.protocol.cycle.response_complete)
    await send(connection, start + b"X: " + b"a" * 1_000_000, 100_000)
    assert connection.statuses() == [200, 431]
    assert connection.wire.closed
    connection.protocol.connection_lost(None)
    await until(lambda: house.runtime.lifecycle.open_requests == 0)


async def test_a_body_is_bounded_by_its_reader_alone(connect):
    _, connection = await connect(max_head_bytes=4096, head_timeout_seconds=0.05)
    body = b'{"texts": ["x"]' + b" " * 100_000 + b"}"
    connection.protocol.data_received(POST + b"Content-Length: %d\r\n\r\n" % len(body))
    await asyncio.sleep(0.1)
    await send(connection, body, 30_000)
    await until(lambda: connection.protocol.cycle.response_complete)
    assert connection.statuses() == [200]


async def test_a_body_that_is_none_ends_its_request(connect):
    house, connection = await connect()
    connection.protocol.data_received(POST + b"Transfer-Encoding: chunked\r\n\r\n")
    await asyncio.sleep(0.01)
    connection.protocol.data_received(b"no number\r\n")
    assert connection.statuses() == [400]
    await until(lambda: house.runtime.lifecycle.open_requests == 0)
    assert connection.statuses() == [400]
    assert await rejected(house) == {"invalid": 1}


@pytest.mark.parametrize("wanted", [b"websocket", b"h2c"])
async def test_an_upgrade_is_not_granted_and_takes_no_request_along(connect, wanted):
    _, connection = await connect()
    upgrade = INTENT + b"Connection: Upgrade\r\nUpgrade: " + wanted + b"\r\n\r\n"
    connection.protocol.data_received(upgrade * 3 + INTENT + b"\r\n")
    await until(lambda: len(connection.statuses()) == 4)
    connection.protocol.data_received(upgrade)
    await until(lambda: len(connection.statuses()) == 5)
    assert set(connection.statuses()) == {200}
    assert not connection.wire.closed


UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n"


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 16\r\n\r\n" + BODY,
        b"Transfer-Encoding: chunked\r\n\r\n10\r\n" + BODY + b"\r\n0\r\n\r\n",
    ],
    ids=["length", "chunks"],
)
async def test_the_body_of_one_who_asks_for_an_upgrade_is_its_own(connect, body, step):
    _, connection = await connect()
    await send(connection, (POST + UPGRADE + body) * 2 + INTENT + b"\r\n", step)
    await until(lambda: len(connection.statuses()) == 3)
    assert connection.statuses() == [200, 200, 200]
    hidden = b"GET /v1/models HTTP/1.1\r\n\r\n"
    await send(connection, POST + UPGRADE + b"Content-Length: 27\r\n\r\n" + hidden, step)
    await until(lambda: len(connection.statuses()) == 4)
    await asyncio.sleep(0.01)
    assert connection.statuses()[3:] == [400]
    assert not connection.wire.closed


async def test_a_body_that_is_none_in_a_pipeline_takes_no_answer_from_those_before(connect):
    house, connection = await connect()
    wrong = POST + b"Transfer-Encoding: chunked\r\n\r\nno number\r\n"
    connection.protocol.data_received(INTENT + b"\r\n" + INTENT + b"\r\n" + wrong)
    await until(lambda: connection.wire.closed)
    assert connection.statuses() == [200, 200, 400]
    assert await rejected(house) == {"invalid": 1}
    assert house.runtime.lifecycle.open_requests == 0


async def test_a_body_in_two_parts_leaves_small_pieces_to_who_follows(connect):
    _, connection = await connect()
    room = connection.protocol._room
    request = POST + b"Content-Length: 16\r\n\r\n" + BODY
    connection.protocol.data_received(request[:-5])
    assert connection.protocol._room > room
    connection.protocol.data_received(request[-5:] + INTENT + b"\r\n")
    assert connection.protocol._room == room
    await until(lambda: len(connection.statuses()) == 2)


REQUESTS = {
    POST + UPGRADE + b"Content-Length: 16\r\n\r\n" + BODY: 200,
    INTENT + b"\r\n": 200,
    INTENT + b"X: " + b"a" * 3000 + b"\r\n\r\n": 200,
    b"GET /api/intent HTTP/1.1\r\n\r\n": 422,
    b"GET /livez HTTP/1.1\r\nContent-Length: 2\r\n\r\nok": 200,
    POST + b"Content-Length: 16\r\n\r\n" + BODY: 200,
    POST + b"Transfer-Encoding: chunked\r\n\r\n10\r\n" + BODY + b"\r\n0\r\nX: a\r\n\r\n": 200,
    b"POST /no HTTP/1.1\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000: 404,
}


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(data=st.data())
async def test_however_requests_are_cut_the_answers_are_the_same(connect, data):
    chosen = data.draw(st.lists(st.sampled_from(list(REQUESTS)), min_size=1, max_size=6))
    sent = b"".join(chosen)
    cuts = data.draw(st.lists(st.integers(0, len(sent)), max_size=8).map(sorted))
    _, connection = await connect(max_head_bytes=4096)
    for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
        await send(connection, sent[start:end], 1 << 20)
        if data.draw(st.booleans()):
            await asyncio.sleep(0)
    await until(lambda: len(connection.statuses()) == len(chosen))
    assert connection.statuses() == [REQUESTS[request] for request in chosen]
    assert not connection.wire.closed
