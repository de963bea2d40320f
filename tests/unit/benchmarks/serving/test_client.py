"""The client against a tiny server in a thread of its own."""

import asyncio
import math
import threading
import time
from collections import Counter

import numpy as np
import pytest

from benchmarks.serving import client
from benchmarks.serving.client import LoadPlan, run_load


class Server:
    """Answers each request with what `answer(request bytes, count)` returns, cut as it says.

    An empty list closes the connection without an answer.
    """

    def __init__(self, answer):
        self.answer = answer
        self.requests = Counter()
        self.connections = 0
        self.most_in_flight = 0
        self._count = 0
        self._writers, self._tasks = [], []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)
        assert not self._thread.is_alive()

    async def _serve(self):
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        # A connection that was accepted last has its task begun, and a transport that was closed
        # its socket closed, some turns later.
        for _ in range(5):
            for _ in range(3):
                await asyncio.sleep(0)
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for writer in self._writers:  # of a task that was cancelled before it began, too
                writer.transport.abort()

    def _accepted(self, reader, writer):
        self._writers.append(writer)
        self._tasks.append(asyncio.create_task(self._connection(reader, writer)))

    async def _connection(self, reader, writer):
        self.connections += 1
        try:
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                self.requests[request] += 1
                self._count += 1
                pieces = self.answer(request, self._count)
                if not pieces:
                    break
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    if len(pieces) > 1:
                        await asyncio.sleep(0.002)
                if b"Connection: close" in pieces[0]:
                    break
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


def reply(body=b"{}", status=200, head=""):
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body


REQUESTS = [f"GET /{number} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for number in range(10)]


def load(server, connections=2, window=0.2, warm_up=0.05, first=0):
    plan = LoadPlan(connections, warm_up, window, first)
    return run_load(("127.0.0.1", server.port), REQUESTS, plan, lambda: math.nan)


def echo(request, _count):
    return [reply(request.split(b" ")[1])]


def test_every_answer_is_kept_with_the_request_that_it_answers():
    with Server(echo) as server:
        began = time.monotonic()
        result = load(server, connections=4)
        took = time.monotonic() - began
    assert not result.failures
    assert result.reconnects == 0
    assert server.connections == 4
    assert result.statuses == {200: len(result.samples)}
    assert all(sample.body == f"/{sample.request}".encode() for sample in result.samples)
    assert sum(server.requests.values()) == len(result.samples)
    assert {sample.request for sample in result.samples} == set(range(10))
    assert 0 < len(result.latencies) < len(result.samples)  # those of the warm-up do not count
    assert (result.latencies > 0).all()
    assert result.requests_per_s == len(result.latencies) / result.seconds
    assert 0.19 <= result.seconds <= took
    assert result.client_cpu > 0
    assert math.isnan(result.server_cpu)


def test_it_begins_with_the_request_asked_for():
    with Server(echo) as server:
        result = load(server, connections=1, first=17)
    assert [sample.request for sample in result.samples[:4]] == [7, 8, 9, 0]


def test_one_request_is_in_flight_on_each_connection():
    in_flight = []

    def answer(_request, count):
        in_flight.append(count)
        return [reply()[:20], reply()[20:]]

    with Server(answer) as server:
        result = load(server, connections=3)
    assert not result.failures
    for sample in result.samples:
        during = sum(
            other.started < sample.finished and other.finished > sample.started
            for other in result.samples
        )
        assert during <= 1 + 2 * 2  # of two others: one that ends and one that begins


def test_statuses_are_counted():
    with Server(lambda _request, count: [reply(status=503 if count % 2 else 200)]) as server:
        result = load(server, connections=1)
    assert set(result.statuses) == {200, 503}
    assert abs(result.statuses[200] - result.statuses[503]) <= 1


def test_connection_close_opens_another_and_loses_nothing():
    def answer(_request, count):
        return [reply(head="Connection: close\r\n" if count % 5 == 0 else "")]

    with Server(answer) as server:
        result = load(server, connections=2)
    assert not result.failures
    assert result.reconnects > 1
    # At the end each of the two may just have been opened, and never been taken up.
    assert 0 <= 2 + result.reconnects - server.connections <= 2
    assert sum(server.requests.values()) == len(result.samples)


def test_a_lost_connection_is_a_failure_and_the_run_goes_on():
    with Server(lambda _request, count: [] if count == 20 else [reply()]) as server:
        result = load(server, connections=2)
    (reason,) = result.failures
    assert "connection lost" in reason
    assert result.reconnects == 1
    assert len(result.samples) > 20


def test_an_answer_that_nobody_asked_for_is_malformed():
    def answer(_request, count):
        return [reply() + reply(b"more")] if count == 10 else [reply()]

    with Server(answer) as server:
        result = load(server, connections=1)
    assert result.failures == ["malformed: an answer that nobody asked for"]
    assert len(result.samples) > 10
    assert all(sample.body == b"{}" for sample in result.samples)


def test_garbage_is_malformed():
    with Server(lambda _request, count: [b"no\r\n\r\n" if count == 10 else reply()]) as server:
        result = load(server, connections=1)
    (reason,) = result.failures
    assert reason.startswith("malformed")


def test_a_server_that_always_fails_ends_the_run_early():
    with Server(lambda _request, _count: []) as server:
        result = load(server, window=60.0)
    assert client.MAX_FAILURES <= len(result.failures) < client.MAX_FAILURES + 10
    assert result.seconds < 30
    assert result.samples == []
    assert len(result.latencies) == 0


def test_the_window_waits_until_each_connection_had_an_answer():
    slow = iter([2])

    def answer(_request, _count):
        time.sleep(next(slow, 0))
        return [reply()]

    with Server(answer) as server:
        result = load(server, connections=3)
    assert result.settle_seconds > 1.8
    assert float(result.latencies.max()) < 1.8


def test_a_silent_server_is_given_up(monkeypatch):
    monkeypatch.setattr(client, "DRAIN_SECONDS", 0.2)
    monkeypatch.setattr(client, "SETTLE_SECONDS", 0.2)

    def answer(_request, count):
        return [reply()] if count < 5 else [b" "[:0]]

    with Server(answer) as server:
        result = load(server, connections=1)
    assert result.failures == ["no answer in time"]


def test_nobody_listens():
    with Server(echo) as server:
        pass
    with pytest.raises(OSError, match=r"refused|Connect|connect"):
        load(server)


def test_latency_is_that_of_the_server():
    def answer(_request, _count):
        return [reply()[:5], reply()[5:]]  # at least 2 ms lie between the two

    with Server(answer) as server:
        result = load(server, connections=1)
    assert float(np.median(result.latencies)) >= 0.002
