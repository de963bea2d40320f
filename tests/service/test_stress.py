"""The stress command against real servers: its files, its page, its exit codes."""

import csv
import json
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.service.harness import ROOT, Change, free_port

FILES = {
    "_stats.csv", "_stats_history.csv", "_failures.csv", "Requests_per_s.png",
    "Failures_per_s.png", "Total Request Count.png", "Total Failure Count.png",
    "Total Average Response Time.png",
}  # fmt: skip
SECONDS = 60


@contextmanager
def stress(host, out, *words, seconds=4, web_port=None):
    command = [
        sys.executable, "-m", "loadtest", "stress", "-u", "4", "-r", "4", "-l", str(seconds),
        "--host", host, "--out", str(out), "--web-port", str(web_port or free_port()), *words,
    ]  # fmt: skip
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("route", ["emotion", "intent"])
def test_it_loads_the_service_and_leaves_the_origins_files(server, tmp_path, route):
    change = Change(server)
    with stress(server.url, tmp_path, "--route", route) as process:
        output, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, errors
    assert {path.name for path in tmp_path.iterdir()} >= FILES
    (total,) = (row for row in rows(tmp_path / "_stats.csv") if row["Name"] == "Aggregated")
    requests = int(total["Request Count"])
    assert requests > 20
    assert int(total["Failure Count"]) == 0
    # Nothing is sent twice, and what the service counted is what Locust counted.
    assert change.take().total("requests_total", model=route, code="200") == requests
    history = rows(tmp_path / "_stats_history.csv")
    assert {row["Name"] for row in history} == {
        "Aggregated",
        "/" if route == "emotion" else "/api/intent",
    }
    assert int(history[-1]["Total Request Count"]) == requests
    assert f"{requests} requests, 0 failures" in output
    assert "Response time percentiles" in output


class Shedding(BaseHTTPRequestHandler):
    """Sheds every second request."""

    count = 0

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        Shedding.count += 1
        body = json.dumps({"prediction": "joy"}).encode()
        self.send_response(503 if Shedding.count % 2 else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        time.sleep(0.01)

    def log_message(self, *_):
        pass


@pytest.fixture
def shedding():
    with ThreadingHTTPServer(("127.0.0.1", 0), Shedding) as made:
        made.daemon_threads = True
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{made.server_port}"
        made.shutdown()
        thread.join()


def test_what_is_shed_is_a_failure(shedding, tmp_path):
    with stress(shedding, tmp_path, seconds=2) as process:
        output, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    (failure,) = rows(tmp_path / "_failures.csv")
    assert "status 503" in failure["Error"]
    assert f"{failure['Occurrences']} failures" in output
    assert "Error report" in output


def test_locusts_page_is_there_meanwhile_and_an_interrupt_ends_it_in_order(server, tmp_path):
    port = free_port()
    with stress(server.url, tmp_path, seconds=300, web_port=port) as process:
        assert process.stdout.readline() == f"Locust's page: http://127.0.0.1:{port}\n"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
            assert answer.status == 200
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/stats/requests") as answer:
                if json.load(answer)["user_count"] == 4:
                    break
            time.sleep(0.2)
        else:
            pytest.fail("the four users did not come")
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 130, errors
    assert {path.name for path in tmp_path.iterdir()} >= FILES
    assert "Traceback" not in output + errors


def test_a_busy_port_is_said_in_one_sentence(server, tmp_path):
    with (
        socket.create_server(("127.0.0.1", 0)) as busy,
        stress(server.url, tmp_path, web_port=busy.getsockname()[1]) as process,
    ):
        _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 2
    assert "cannot listen" in errors
    assert "Traceback" not in errors
