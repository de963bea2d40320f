"""The client against a tiny server in threads of its own."""

import contextlib
import math
import socketserver
import threading
import time
from collections import Counter
from itertools import accumulate

import numpy as np
import pytest

from benchmarks.serving import client
from benchmarks.serving.client import LoadPlan, run_load


class Server(socketserver.ThreadingTCPServer):
    """Answers each request with what `answer(request bytes, count)` returns, cut as it says.

    An empty list closes the connection without an answer.
    """

    request_queue_size = 64  # all that a client opens at once

    def __init__(self, answer):
        super().__init__(("127.0.0.1", 0), Handler)
        self.port = self.server_address[1]
        self.answer = answer
        self.requests = Counter()
        self.connections = 0
        self.lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self._thread.join(5)
        self.server_close()  # waits for the thread of each connection
        assert not self._thread.is_alive()


class Handler(socketserver.StreamRequestHandler):
    """One connection, until its client is gone or an answer ends it."""

    timeout = 5
    disable_nagle_algorithm = True

    def handle(self):
        with self.server.lock:
            self.server.connections += 1
        with contextlib.suppress(ConnectionError):
            while (request := self._request()) and self._answered(request):
                pass

    def _request(self):
        """A request's head; nothing once the client is gone."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.rfile.readline()
            if not line:
                return b""
            head += line
        return head

    def _answered(self, request):
        """Whether the connection goes on after the answer."""
        with self.server.lock:
            self.server.requests[request] += 1
            count = self.server.requests.total()
        pieces = self.server.answer(request, count)
        for piece in pieces:
            self.wfile.write(piece)
            if len(pieces) > 1:
                time.sleep(0.002)
        return pieces and b"Connection: close" not in pieces[0]


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
    with Server(lambda _request, _count: [reply()[:20], reply()[20:]]) as server:
        result = load(server, connections=3)
    assert not result.failures
    begun_or_ended = [(sample.started, 1) for sample in result.samples]
    begun_or_ended += [(sample.finished, -1) for sample in result.samples]
    in_flight = accumulate(step for _, step in sorted(begun_or_ended))
    assert max(in_flight) == 3


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
