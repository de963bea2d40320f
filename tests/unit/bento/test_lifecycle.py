"""The drain, with a stand-in for uvicorn's server; no signal is ever sent."""

import asyncio
import signal
from types import SimpleNamespace

import pytest
import uvicorn

from bento.lifecycle import Lifecycle
from bento.settings import Settings

BOTH_SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])


class Server(uvicorn.Server):
    """Keeps the signals that reached it."""

    def __init__(self, **config) -> None:
        super().__init__(uvicorn.Config("nothing:app", **config))
        self.handled = []

    def handle_exit(self, sig, frame):
        self.handled.append(sig)


class Process:
    """A server's process: its signal handlers and its lifecycle."""

    def __init__(self, handlers, server, settings) -> None:
        self._handlers = handlers
        self.server = server
        handlers.update(dict.fromkeys((signal.SIGTERM, signal.SIGINT), server.handle_exit))
        self.lifecycle = Lifecycle(settings)
        self.lifecycle.take_over(asyncio.get_running_loop())

    def receive(self, number=signal.SIGTERM):
        self._handlers[number](number, None)

    async def until(self, attribute):
        """Wait for an attribute of the lifecycle or the server to become true."""
        owner = self.lifecycle if hasattr(self.lifecycle, attribute) else self.server
        async with asyncio.timeout(5):
            while not getattr(owner, attribute):  # noqa: ASYNC110  nobody tells
                await asyncio.sleep(0.002)


@pytest.fixture
def handlers(monkeypatch):
    """The process's signal handlers, without touching the real ones."""
    current = {signal.SIGTERM: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler}
    module = SimpleNamespace(
        SIGTERM=signal.SIGTERM,
        SIGINT=signal.SIGINT,
        getsignal=current.__getitem__,
        signal=current.__setitem__,
    )
    monkeypatch.setattr("bento.lifecycle.signal", module)
    monkeypatch.setattr("bento.lifecycle.POLL_SECONDS", 0.002)
    return current


@pytest.fixture
def process(handlers):
    def start(server=None, **settings):
        return Process(handlers, server or Server(), Settings(**settings))

    return start


async def test_server_gets_our_timeouts(process):
    config = process(
        Server(timeout_keep_alive=5), keep_alive_seconds=75, shutdown_seconds=7
    ).server.config
    assert config.timeout_keep_alive == 75
    assert config.timeout_graceful_shutdown == 7


async def test_what_the_server_was_told_wins_when_it_is_longer(process):
    server = Server(timeout_keep_alive=300, timeout_graceful_shutdown=40)
    config = process(server).server.config
    assert config.timeout_keep_alive == 300
    assert config.timeout_graceful_shutdown == 40


@BOTH_SIGNALS
async def test_drain_waits_then_ends_the_server(process, number):
    running = process(drain_seconds=0.03)
    assert not running.lifecycle.draining
    running.receive(number)
    await running.until("draining")
    assert not running.server.should_exit
    await running.until("should_exit")
    assert running.server.handled == []  # uvicorn would raise the signal again and fail


async def test_drain_waits_for_open_requests(process):
    running = process(drain_seconds=0)
    running.lifecycle.open_requests = 1
    running.receive()
    await running.until("draining")
    await asyncio.sleep(0.02)
    assert not running.server.should_exit
    running.lifecycle.open_requests = 0
    await running.until("should_exit")


async def test_requests_that_never_end_do_not_hold_it_for_ever(handlers):
    settings = Settings.model_construct(drain_seconds=0.0, shutdown_seconds=0.02)
    running = Process(handlers, Server(), settings)
    running.lifecycle.open_requests = 1
    running.receive()
    await running.until("should_exit")


@BOTH_SIGNALS
async def test_second_signal_ends_the_drain_and_a_third_is_uvicorns(process, number):
    running = process(drain_seconds=600)
    running.receive()
    await running.until("draining")
    running.receive(number)
    assert running.server.should_exit
    assert running.server.handled == []
    running.receive(number)
    assert running.server.handled == [number]


async def test_two_signals_at_once_drain_once(process):
    running = process(drain_seconds=0.01)
    running.receive()
    running.receive()
    await running.until("should_exit")
    assert running.lifecycle.draining
    assert running.server.handled == []


async def test_another_servers_handler_is_left_alone(handlers):
    def own(number, frame):
        raise AssertionError

    handlers[signal.SIGTERM] = own
    Lifecycle(Settings()).take_over(asyncio.get_running_loop())
    assert handlers[signal.SIGTERM] is own
