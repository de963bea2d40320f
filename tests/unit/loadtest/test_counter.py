"""The counter, against a server that does each thing that can go wrong."""

import asyncio
import importlib.util
import socket
from pathlib import Path

import pytest

from loadtest.generator.connection import Connection, Lost, lost
from loadtest.generator.load import Load, TargetError
from loadtest.spec import LoadSpec
from nlpserve.load_results import Outcome

spec = importlib.util.spec_from_file_location("serving", Path(__file__).parent / "conftest.py")
serving = importlib.util.module_from_spec(spec)
spec.loader.exec_module(serving)

REQUESTS = 40


def load_spec(**given):
    values = {
        "url": "http://target:80", "model": "intent", "requests": REQUESTS, "rate": 1000,
        "clients": 4, "timeout_seconds": 5, "texts": 7, "wait_seconds": 0.2,
    }  # fmt: skip
    return LoadSpec(**(values | given))


async def learned(server, **given):
    load = Load(load_spec(**given), "127.0.0.1", server.port)
    await load.learn()
    server.served = 0
    return load


async def counted(server, misbehave, **given):
    load = await learned(server, **given)
    server.misbehave = misbehave
    facts = await load.run()
    assert facts.total.sent == facts.total.ended == REQUESTS
    assert facts.kept.sent == facts.new.sent == REQUESTS / 2
    return facts


def every(number, reply):
    """Does `reply` with every so many requests, answers the others rightly."""

    async def misbehave(server, text, writer):
        if server.served % number == 0:
            return await reply(text, writer)
        return serving.answer(serving.prediction(text))

    return misbehave


async def test_a_good_server_loses_nothing_and_keeps_connections(server):
    facts = await counted(server, None)
    assert facts.total.answered == server.served == REQUESTS
    assert facts.total.lost == 0
    assert facts.connections == 2  # half of four clients
    assert facts.model_version == "1.2.3"
    assert facts.losses == []


async def shed(_text, _writer):
    return serving.answer({}, "503 Service Unavailable")


async def broken(_text, _writer):
    return serving.answer({}, "500 Internal Server Error")


async def redirect(_text, _writer):
    return serving.answer({}, "302 Found")


async def garbage(_text, _writer):
    return serving.answer(["no", "answer"])


async def of_another_text(text, _writer):
    return serving.answer(serving.prediction(text + " "))


async def of_another_model(text, _writer):
    return serving.answer(serving.prediction(text, "emotion"))


async def no_http(_text, _writer):
    return b"SSH-2.0-x\r\n\r\n"


async def ended(_text, _writer):
    return None


async def aborted(_text, writer):
    serving.reset(writer)


async def half(text, writer):
    writer.write(serving.answer(serving.prediction(text))[:-5])
    await writer.drain()


async def late(_text, _writer):
    await asyncio.sleep(2)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (shed, Outcome.SHED),
        (broken, Outcome.STATUS),
        (redirect, Outcome.STATUS),
        (garbage, Outcome.WRONG),
        (of_another_text, Outcome.WRONG),
        (of_another_model, Outcome.WRONG),
        (no_http, Outcome.RESET),
        (ended, Outcome.RESET),
        (aborted, Outcome.RESET),
        (half, Outcome.RESET),
        (late, Outcome.TIMED_OUT),
    ],
)
async def test_every_loss_is_counted_as_what_it_is(server, reply, outcome):
    facts = await counted(server, every(4, reply), timeout_seconds=1 if reply is late else 5)
    assert getattr(facts.total, outcome) == facts.total.lost == REQUESTS / 4
    assert facts.total.answered == REQUESTS * 3 / 4
    assert {loss.outcome for loss in facts.losses} == {outcome}
    assert server.served == REQUESTS  # nothing is sent a second time


async def test_a_server_that_is_gone_refuses_the_rest(server):
    async def last(found, text, _writer):
        if found.served == 10:
            found.listener.close()
        close = found.served >= 10
        return serving.answer(serving.prediction(text), close=close)

    facts = await counted(server, last, clients=2)
    # A connection that the kernel had taken when the listener closed is reset.
    assert facts.total.answered + facts.total.refused + facts.total.reset == REQUESTS
    assert facts.total.refused > 0
    assert facts.kept.refused > 0


async def test_a_connection_that_the_server_announced_to_close_is_no_loss(server):
    async def closing(text, _writer):
        return serving.answer(serving.prediction(text), close=True)

    facts = await counted(server, every(1, closing))
    assert facts.total.answered == REQUESTS
    assert facts.closed_by_answer == facts.connections == REQUESTS / 2


async def test_a_connection_found_closed_before_the_request_is_no_loss(server):
    async def closes_after(found, text, writer):
        # The answer says nothing, and then the connection is gone while the client pauses.
        writer.write(serving.answer(serving.prediction(text)))
        await writer.drain()

    facts = await counted(server, closes_after, rate=100)
    assert facts.total.answered == REQUESTS
    assert facts.closed_idle == facts.connections - 2 == REQUESTS / 2 - 2


async def test_a_closed_connection_is_seen_before_the_loop_looks():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connection = await Connection.open(*listener.getsockname())
        peer, _ = listener.accept()
        assert connection.usable
        peer.close()  # nothing lets the loop run from here on
        assert not connection.usable
        connection.close()


async def test_nobody_listens(server):
    server.listener.close()
    with pytest.raises(Lost) as refused:
        await Connection.open("127.0.0.1", server.port)
    assert refused.value.outcome is Outcome.REFUSED


def test_no_way_to_the_host_is_a_loss_and_our_own_faults_are_none():
    assert lost(OSError(113, "No route to host")).outcome is Outcome.UNREACHABLE
    assert lost(OSError(104, "Connection reset by peer")).outcome is Outcome.RESET
    assert lost(OSError(110, "Connection timed out")).outcome is Outcome.TIMED_OUT
    with pytest.raises(OSError, match="Too many open files"):
        lost(OSError(24, "Too many open files"))


async def test_a_fault_of_our_own_ends_the_run_without_counts(server, monkeypatch):
    load = await learned(server)

    async def no_port(*_words):
        raise OSError(99, "Cannot assign requested address")

    monkeypatch.setattr(Connection, "open", no_port)
    with pytest.raises(OSError, match="Cannot assign"):
        await load.run()


async def test_the_rate_is_kept(server):
    load = await learned(server, rate=20)
    facts = await load.run()
    assert 1.9 <= facts.seconds <= 3.5
    assert facts.latest_start < 1


async def test_a_target_that_never_answers_is_no_count(server):
    server.listener.close()
    load = Load(load_spec(), "127.0.0.1", server.port)
    with pytest.raises(TargetError, match="refused"):
        await load.learn()


async def test_a_target_that_answers_something_else_is_no_count(server):
    async def other(_server, text, _writer):
        return serving.answer(serving.prediction(text, "emotion"))

    server.misbehave = other
    load = Load(load_spec(), "127.0.0.1", server.port)
    with pytest.raises(TargetError, match="as documented"):
        await load.learn()
