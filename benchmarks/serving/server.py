"""A server process on its own core: started, waited for, and always ended."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.serving.machine import pin
from benchmarks.serving.processes import family, kill_left_over
from nlpserve import routes

HOST: Final = "127.0.0.1"
ROOT: Final = Path(__file__).parents[2]
SETTINGS_PREFIX: Final = "NLPSERVE_"
KEEP_ALIVE_SECONDS: Final = 75
READY_SECONDS: Final = 90.0
STOP_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.05


class ServerError(Exception):
    """The server did not become ready, or ended by itself; the message says what it printed."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers."""

    port: int
    pid: int
    ready_seconds: float


@dataclass(frozen=True, slots=True)
class Command:
    """What to start; `PORT` in an argument stands for the port."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    ready_path: str
    log: Path


def service(models: str, settings: Mapping[str, str], log: Path) -> Command:
    """The BentoML service with these models, as the setting `models` writes them.

    Settings of the caller's environment are left out, so that a result says all that was set.
    """
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(SETTINGS_PREFIX)
    }
    own = {"models": models, "threads": "1", "predictions_log": "off", "drain_seconds": "0"}
    environment |= {
        SETTINGS_PREFIX + name.upper(): value for name, value in {**own, **settings}.items()
    }
    environment |= {"BENTOML_DO_NOT_TRACK": "True", "PYTHONUNBUFFERED": "1"}
    serve = ["-m", "bentoml", "serve", "bento.service:nlpserve", "--host", HOST, "--port", "PORT"]
    keep_alive = ["--timeout-keep-alive", str(KEEP_ALIVE_SECONDS)]
    return Command([sys.executable, *serve, *keep_alive], environment, routes.READYZ, log)


def trivial(log: Path) -> Command:
    """The application that does nothing, on the same HTTP server as the service."""
    app = ["-m", "uvicorn", "benchmarks.serving.trivial:app", "--host", HOST, "--port", "PORT"]
    options = ["--loop", "uvloop", "--http", "httptools", "--log-level", "warning"]
    return Command([sys.executable, *app, *options, "--no-access-log"], os.environ, "/", log)


@contextmanager
def running(command: Command, core: int | None) -> Iterator[Server]:
    """Start the server on the core, wait until it is ready, end it on the way out.

    It gets a session of its own: Ctrl-C reaches it only through the orderly end here.
    Raises ServerError.
    """
    port = free_port()
    arguments = [argument.replace("PORT", str(port)) for argument in command.arguments]
    started = time.monotonic()
    with command.log.open("wb") as log:
        process = subprocess.Popen(
            arguments,
            cwd=ROOT,
            env=dict(command.environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        pin(process.pid, core)  # at once, so that all it starts inherits the core
        _wait_until_ready(process, port, command)
        yield Server(port, process.pid, time.monotonic() - started)
    finally:
        _stop(process)


def free_port() -> int:
    """A port of the loopback that was free just now."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, command: Command) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServerError(f"the server ended with {process.returncode}: {_tail(command.log)}")
        if _is_ready(port, command.ready_path):
            return
        time.sleep(POLL_SECONDS)
    raise ServerError(f"the server was not ready in {READY_SECONDS:.0f} s: {_tail(command.log)}")


def _is_ready(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end; kill it after STOP_SECONDS, and what it started if that outlives it."""
    members = family(process.pid)
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    kill_left_over(members)


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return " / ".join(lines[-3:]) or "it printed nothing"
