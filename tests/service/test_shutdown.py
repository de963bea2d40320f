"""SIGTERM and Ctrl-C under load: readiness flips, what was accepted is answered, then the end.

Both launchers end with code 0 after either signal.
"""

import http.client
import json
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import pytest

from tests.service.harness import BENTOML, HOST, OWN, Server

DRAIN_SECONDS = 5.0
CLIENTS = 6
END_SECONDS = 30.0
"""From the signal to the process's end: the drain, open requests, BentoML's supervisor."""


@dataclass
class Outcome:
    """One request: when it began and ended, and how."""

    text: str
    began: float
    ended: float
    status: int = 0
    closing: bool = False
    error: str = ""


@dataclass
class Client:
    """Sends one request after the other on one connection, and reconnects when told to close."""

    server: Server
    number: int
    stop: threading.Event
    outcomes: list[Outcome] = field(default_factory=list)

    def run(self) -> None:
        connection = http.client.HTTPConnection(HOST, self.server.port, timeout=20)
        count = 0
        while not self.stop.is_set():
            count += 1
            outcome = Outcome(f"client {self.number} text {count}", time.monotonic(), 0.0)
            try:
                body = json.dumps({"texts": [outcome.text]})
                headers = {"Content-Type": "application/json"}
                connection.request("POST", "/v1/models/topics/classify", body, headers)
                response = connection.getresponse()
                answer = response.read()
                assert response.status != 200 or len(json.loads(answer)["predictions"]) == 1
                outcome.status = response.status
                outcome.closing = response.headers.get("connection", "").lower() == "close"
            except (OSError, http.client.HTTPException) as error:
                outcome.error = repr(error)
                connection.close()
            outcome.ended = time.monotonic()
            self.outcomes.append(outcome)
            if outcome.error:
                time.sleep(0.05)
            time.sleep(0.002)
        connection.close()


def watch_readiness(server: Server, stop: threading.Event, seen: list[tuple[float, int]]) -> None:
    while not stop.is_set():
        try:
            status = server.get("/readyz")[0]
        except OSError:
            status = 0
        seen.append((time.monotonic(), status))  # a request that begins now meets what it says
        time.sleep(0.05)


def batch_of_many(server: Server, done: list[tuple[int, int]]) -> None:
    """One long request that is on its way when the signal comes."""
    connection = http.client.HTTPConnection(HOST, server.port, timeout=30)
    body = json.dumps({"texts": ["topic1 " * 150] * 200})
    connection.request(
        "POST", "/v1/models/topics/classify", body, {"Content-Type": "application/json"}
    )
    response = connection.getresponse()
    answer = json.loads(response.read())
    done.append((response.status, len(answer.get("predictions", ()))))
    connection.close()


@pytest.mark.parametrize(
    ("launcher", "number", "group"),
    [
        (BENTOML, signal.SIGTERM, False),
        (BENTOML, signal.SIGINT, True),
        (OWN, signal.SIGTERM, False),
        (OWN, signal.SIGINT, True),
    ],
    ids=["bentoml SIGTERM", "bentoml Ctrl-C", "own SIGTERM", "own Ctrl-C"],
)
def test_the_end_under_load_loses_nothing(tmp_path, topics, launcher, number, group):
    log = tmp_path / "predictions.txt"
    stop = threading.Event()
    readiness: list[tuple[float, int]] = []
    long: list[tuple[int, int]] = []
    with Server(
        tmp_path,
        launcher=launcher,
        models=f"topics={topics}",
        drain_seconds=str(DRAIN_SECONDS),
        max_body_bytes="4000000",
        predictions_log="text",
        predictions_log_file=str(log),
    ) as server:
        clients = [Client(server, position, stop) for position in range(CLIENTS)]
        threads = [threading.Thread(target=client.run) for client in clients]
        threads.append(threading.Thread(target=watch_readiness, args=(server, stop, readiness)))
        for thread in threads:
            thread.start()
        time.sleep(1.0)
        last = threading.Thread(target=batch_of_many, args=(server, long))
        last.start()
        time.sleep(0.05)
        signalled = time.monotonic()
        server.signal(number, group=group)
        try:
            code = server.wait(END_SECONDS)
            ended = time.monotonic()
        finally:
            stop.set()
            for thread in (*threads, last):
                thread.join(30)

    assert code == 0, server.log_tail()
    assert ended - signalled >= DRAIN_SECONDS - 0.1
    assert "Traceback" not in server.log

    assert long == [(200, 200)]
    assert readiness[0][1] == 200
    flipped = next(moment for moment, status in readiness if status == 503)
    assert flipped - signalled < DRAIN_SECONDS - 1
    after = {status for moment, status in readiness if moment > flipped}
    assert 200 not in after

    outcomes = [outcome for client in clients for outcome in client.outcomes]
    errors = [outcome for outcome in outcomes if outcome.error]
    assert all(outcome.began > signalled + DRAIN_SECONDS - 1 for outcome in errors), errors[:3]
    answered = [outcome for outcome in outcomes if outcome.status]
    assert {outcome.status for outcome in answered} == {200}
    assert all(outcome.closing for outcome in answered if outcome.began > flipped)
    assert not any(outcome.closing for outcome in answered if outcome.ended < signalled)
    assert any(outcome.began > flipped for outcome in answered)  # they went on by reconnecting

    # The log holds a line for each text that the model answered: each reached its client.
    lines = [json.loads(line)["text"] for line in log.read_text(encoding="utf-8").splitlines()]
    written = Counter(text for text in lines if text.startswith("client "))
    assert written == Counter(outcome.text for outcome in answered)


def test_a_second_ctrl_c_ends_it_at_once(tmp_path, topics):
    models = f"topics={topics}"
    with Server(tmp_path, launcher=OWN, models=models, drain_seconds="60") as server:
        server.signal(signal.SIGINT, group=True)
        deadline = time.monotonic() + 5
        while server.get("/readyz")[0] != 503:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        server.signal(signal.SIGINT, group=True)
        assert server.wait(END_SECONDS) == 0
        assert "Traceback" not in server.log
