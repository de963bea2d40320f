"""A connection's pace: what it may have waiting, and how long it waits for a client that stops."""

import asyncio

import pytest

from bento.edge import answers
from nlpserve.errors import Overloaded
from nlpserve.metrics import Rejection

REQUEST = b"GET /api/intent?sentence=x HTTP/1.1\r\n\r\n"


@pytest.fixture
async def dial(connect):
    """Opens a real socket to the application, whose connections are idle for `keep_alive`."""
    opened = []

    async def run(**settings):
        house, connection = await connect(**settings)
        loop = asyncio.get_running_loop()
        config, state = connection.protocol.config, connection.state
        server = await loop.create_server(
            lambda: config.http_protocol_class(config=config, server_state=state, app_state={}),
            "127.0.0.1",
            0,
        )
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        opened.append((server, writer))
        return house, state, reader, writer

    yield run
    for server, writer in opened:
        writer.transport.abort()
        server.close()
        await server.wait_closed()


async def test_a_pipeline_holds_no_more_than_a_piece(connect):
    house, connection = await connect()
    wire, protocol = connection.wire, connection.protocol
    most, sent = 0, 0
    async with asyncio.timeout(60):
        for turn in range(3_000):
            if not wire.paused:
                protocol.data_received(REQUEST * 1_000)
                sent += 1_000
            most = max(most, len(protocol.pipeline))
            await asyncio.sleep(0)
            if turn == 1_000:
                assert wire.paused
        while len(connection.statuses()) < sent:  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.01)
    assert 0 < most <= 4096 / len(REQUEST)
    assert set(connection.statuses()) == {200}
    assert house.runtime.lifecycle.open_requests == 0


async def test_who_asks_for_thousands_lets_others_in_between(connect):
    _, connection = await connect()
    turns = 0

    async def turn():
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    beside = asyncio.create_task(turn())
    connection.protocol.data_received(b"GET /api/intent HTTP/1.1\r\n\r\n" * 5_000)
    assert len(connection.statuses()) < 200
    async with asyncio.timeout(30):
        while len(connection.statuses()) < 5_000:  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.01)
    beside.cancel()
    assert turns > 30


async def test_a_client_that_does_not_read_is_let_go(dial):
    house, state, _, writer = await dial(keep_alive=0.3)
    writer.transport.pause_reading()
    writer.write(b"GET /docs.json HTTP/1.1\r\n\r\n" * 2_000)  # tens of megabytes of answers
    async with asyncio.timeout(30):
        while not any(c.flow.write_paused for c in state.connections if c.flow):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        while house.runtime.lifecycle.open_requests:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert not [c for c in state.connections if c.flow.write_paused]


async def test_a_client_that_reads_late_gets_everything(dial):
    _, _, reader, writer = await dial(keep_alive=20)
    writer.transport.pause_reading()
    writer.write(b"GET /docs.json HTTP/1.1\r\n\r\n" * 300)
    await asyncio.sleep(0.3)
    writer.transport.resume_reading()
    async with asyncio.timeout(30):
        for _ in range(300):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 OK")
            lengths = [line for line in head.split(b"\r\n") if line.startswith(b"content-length")]
            await reader.readexactly(int(lengths[0].split(b":")[1]))


async def test_an_idle_client_with_answers_unread_is_let_go_at_once(connect):
    _, connection = await connect(keep_alive=0.05)
    aborted = asyncio.Event()
    connection.wire.abort = aborted.set
    connection.wire.get_write_buffer_size = lambda: 100
    await asyncio.wait_for(aborted.wait(), 10)
    assert not connection.wire.closed


@pytest.mark.parametrize("target", [b"/api/intent?sentence=x", b"/livez"], ids=["direct", "task"])
async def test_a_client_that_does_not_read_the_last_answer_is_let_go(connect, target):
    _, connection = await connect(keep_alive=0.05)
    aborted = asyncio.Event()
    connection.wire.abort = aborted.set
    connection.wire.get_write_buffer_size = lambda: 100
    connection.protocol.data_received(b"GET %b HTTP/1.1\r\nConnection: close\r\n\r\n" % target)
    async with asyncio.timeout(5):
        while not connection.wire.closed:  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.01)
    await asyncio.wait_for(aborted.wait(), 10)


@pytest.mark.parametrize("reset", [None, ConnectionResetError()], ids=["end", "reset"])
async def test_a_connection_that_is_gone_leaves_no_timer(connect, reset):
    _, connection = await connect()
    await connection.ask("/api/intent?sentence=x")
    timer = connection.protocol.timeout_keep_alive_task
    assert not timer.cancelled()
    connection.protocol.connection_lost(reset)
    assert timer.cancelled()


async def test_a_refusal_before_it_does_not_let_a_long_request_go(connect, monkeypatch):
    house, connection = await connect(keep_alive=0.05)
    batcher = house.runtime.models["intent"].batcher
    put, waiting = batcher.put, []
    monkeypatch.setattr(batcher, "put", lambda *given: waiting.append(given))
    connection.protocol.data_received(b"GET /api/intent HTTP/1.1\r\n\r\n" + REQUEST)
    await asyncio.sleep(0.2)
    assert connection.statuses() == [422]
    assert not connection.wire.closed
    put(*waiting[0])
    async with asyncio.timeout(5):
        while len(connection.statuses()) < 2:  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.01)
    assert connection.statuses() == [422, 200]


@pytest.fixture
def shed(monkeypatch):
    """Turns the requests of a house away, as many as are asked for."""
    monkeypatch.setattr(answers, "REST_SECONDS", 0.05)

    def run(house, number):
        batcher = house.runtime.models["intent"].batcher
        left, put = iter(range(number)), batcher.put

        def full(texts, reply):
            if next(left, None) is not None:
                raise Overloaded("Full.", reason=Rejection.QUEUE_FULL)
            put(texts, reply)

        monkeypatch.setattr(batcher, "put", full)

    return run


async def test_who_is_shed_is_read_again_a_little_later(connect, shed):
    house, connection = await connect()
    shed(house, 1)
    connection.protocol.data_received(REQUEST)
    assert connection.statuses() == [503]
    assert connection.wire.paused
    async with asyncio.timeout(5):
        while connection.wire.paused:  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.01)
    response, _, _ = await connection.ask("/api/intent?sentence=x")
    assert response.status == 200
    assert not connection.wire.paused


async def test_what_is_held_of_who_is_shed_waits_too_and_is_answered_in_order(connect, shed):
    house, connection = await connect()
    shed(house, 150)
    connection.protocol.data_received(REQUEST * 200)
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(connection.statuses()) <= 4096 / len(REQUEST)
    async with asyncio.timeout(5):
        while len(connection.statuses()) < 200:  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.01)
    assert connection.statuses() == [503] * 150 + [200] * 50
    assert house.runtime.lifecycle.open_requests == 0


async def test_who_leaves_while_it_is_not_read_costs_nothing(connect, shed):
    house, connection = await connect()
    shed(house, 1)
    connection.protocol.data_received(REQUEST)
    connection.wire.close()
    connection.protocol.connection_lost(None)
    await asyncio.sleep(0.1)
    assert connection.wire.paused
    assert house.runtime.lifecycle.open_requests == 0


async def test_a_dead_model_makes_nobody_wait(connect):
    house, connection = await connect()
    house.runtime.models["intent"].batcher.fail_all("a test")
    connection.protocol.data_received(REQUEST)
    assert connection.statuses() == [503]
    assert not connection.wire.paused
