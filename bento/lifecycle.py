"""From start to drain: what readiness says, and what SIGTERM and Ctrl-C do.

On SIGTERM uvicorn closes its listener and every idle connection at once, so a request on its way
is reset. Here a signal first makes the process not ready and every answer say `Connection: close`;
only when clients have had time to leave does uvicorn get to end.
"""

import asyncio
import logging
import signal
from collections.abc import Callable
from types import FrameType

import uvicorn

from bento.settings import Settings

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.05


class Lifecycle:
    """State of the process, and the drain."""

    def __init__(self, settings: Settings) -> None:
        """Not started: neither ready nor draining."""
        self._settings = settings
        self.started = False
        self.draining = False
        self.open_requests = 0
        self.server: uvicorn.Server | None = None
        self._drain: asyncio.Task[None] | None = None

    def take_over(self, loop: asyncio.AbstractEventLoop) -> None:
        """Put the drain before uvicorn's own end, and give it our timeouts.

        Under another server nothing is changed: readiness then flips when its lifespan ends.
        """
        handler = signal.getsignal(signal.SIGTERM)
        server = getattr(handler, "__self__", None)
        if not isinstance(server, uvicorn.Server) or not callable(handler):
            return
        self.server = server
        # BentoML passes uvicorn's own default of 5 s unless told otherwise on its command line,
        # and that resets clients who think longer.
        server.config.timeout_keep_alive = max(
            server.config.timeout_keep_alive, self._settings.keep_alive_seconds
        )
        if server.config.timeout_graceful_shutdown is None:
            server.config.timeout_graceful_shutdown = self._settings.shutdown_seconds
        # The metrics count requests and only errors are logged. uvicorn asks each connection's
        # logger for handlers, so a setting would come too late.
        access = logging.getLogger("uvicorn.access")
        access.handlers.clear()
        access.propagate = False
        end_now = handler

        def end() -> None:
            # Its handler would raise the signal again at the end: no exit code 0.
            server.should_exit = True

        def begin(number: int, frame: FrameType | None) -> None:
            if server.should_exit:  # a third signal: uvicorn's own way to end at once
                end_now(number, frame)
            elif self.draining:  # a second signal: no more waiting for clients to leave
                end()
            else:
                loop.call_soon_threadsafe(self._begin, end)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, begin)

    def _begin(self, end: Callable[[], object]) -> None:
        if not self.draining:
            self.draining = True
            logger.info("Draining for %g s", self._settings.drain_seconds)
            self._drain = asyncio.get_running_loop().create_task(self._drain_then(end))

    async def _drain_then(self, end: Callable[[], object]) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._settings.drain_seconds)
        latest = loop.time() + self._settings.shutdown_seconds
        while self.open_requests and loop.time() < latest:  # noqa: ASYNC110  a counter is cheaper
            await asyncio.sleep(POLL_SECONDS)
        end()
