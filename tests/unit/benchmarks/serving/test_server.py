import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.serving.machine import choose_cores
from benchmarks.serving.processes import cpu_seconds, family
from benchmarks.serving.server import Command, ServerError, running, service, trivial

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


def script(code, log):
    return Command([sys.executable, "-c", code, "PORT"], os.environ, "/", log)


def runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_trivial_server_answers_and_is_ended(tmp_path):
    with running(trivial(tmp_path / "log"), choose_cores().server_core) as server:
        assert server.port > 0
        assert runs(server.pid)
    assert not runs(server.pid)


def test_it_is_ended_when_the_measurement_raises(tmp_path):
    with (
        pytest.raises(KeyboardInterrupt),
        running(trivial(tmp_path / "log"), None) as server,
    ):
        raise KeyboardInterrupt
    assert not runs(server.pid)


def test_a_server_that_ends_says_why(tmp_path):
    command = script("raise SystemExit('no such model')", tmp_path / "log")
    with pytest.raises(ServerError, match=r"ended with 1: no such model"), running(command, None):
        pass


def test_a_server_that_never_gets_ready_is_given_up_and_ended(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.serving.server.READY_SECONDS", 4)
    pid = tmp_path / "pid"
    code = f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    with (
        pytest.raises(ServerError, match=r"not ready in \d s"),
        running(script(code, tmp_path / "log"), None),
    ):
        pass
    assert not runs(int(pid.read_text()))


@linux
def test_a_worker_in_a_session_of_its_own_does_not_outlive_the_server(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.serving.server.STOP_SECONDS", 0.3)
    code = """
import http.server, signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
worker = subprocess.Popen(sleep, start_new_session=True)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
    with running(script(code, tmp_path / "log"), None) as server:
        members = family(server.pid)
        assert len(members) == 2
    deadline = time.monotonic() + 5
    while any(map(still_works, members)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(still_works, members))


def still_works(pid):
    """Neither gone nor a zombie that its new parent has not reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@linux
def test_cpu_time_of_a_process_and_its_children():
    spin = "import time; end = time.time() + 30\nwhile time.time() < end: pass"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {spin!r}])"
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    try:
        before = cpu_seconds(process.pid)
        deadline = time.monotonic() + 20
        while cpu_seconds(process.pid) < before + 0.2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert len(family(process.pid)) == 2
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_the_service_gets_no_settings_but_those_stated(tmp_path, monkeypatch):
    monkeypatch.setenv("NLPSERVE_API_KEYS", "secret")
    command = service("intent=models/intent", {"max_batch_size": "32"}, tmp_path / "log")
    settings = {
        name: value for name, value in command.environment.items() if name.startswith("NLPSERVE_")
    }
    assert settings == {
        "NLPSERVE_MODELS": "intent=models/intent",
        "NLPSERVE_THREADS": "1",
        "NLPSERVE_PREDICTIONS_LOG": "off",
        "NLPSERVE_DRAIN_SECONDS": "0",
        "NLPSERVE_MAX_BATCH_SIZE": "32",
    }
    arguments = " ".join(command.arguments)
    assert "bentoml serve bento.service:nlpserve" in arguments
    assert "--timeout-keep-alive 75" in arguments
