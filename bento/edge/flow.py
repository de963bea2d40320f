"""A connection's pace: no more is read than can be answered, and nobody waits for ever to write.

uvicorn parses all that one read brings and reads on after each answer, so that a pipeline of small
requests grows faster than it is answered; a client that does not read its answers it waits for
without end. Here the parser gets pieces, one a turn of the loop, and none while requests wait.
"""

from asyncio import AbstractEventLoop, TimerHandle, Transport
from typing import Any, Final

from uvicorn import Config
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

PIECE: Final = 4096
"""Bytes that the parser gets at once: more than most requests, few enough to stop in time."""
BODY_PIECE: Final = 16_384
"""The same within a body."""
NO_ROOM: Final = -1
"""Room of a connection that takes no more."""


class Intake(FlowControl):
    """Reads on when no request of the connection waits for another, and all that came is parsed."""

    def __init__(self, transport: Transport, protocol: "PacedProtocol") -> None:
        """Of this connection."""
        super().__init__(transport)
        self._protocol = protocol
        self._timer: TimerHandle | None = None

    @property
    def resting(self) -> bool:
        """Whether nothing is read or parsed for now."""
        return self._timer is not None

    def rest(self, seconds: float) -> None:
        """Read and parse nothing for so long."""
        if self._timer is None:
            self.pause_reading()
            self._timer = self._protocol.loop.call_later(seconds, self._rested)

    def stop(self) -> None:
        """The connection is gone."""
        if self._timer is not None:
            self._timer.cancel()

    def resume_reading(self) -> None:
        """Read on, if it is time."""
        if self.read_paused and not self.resting and not self._protocol.pipeline:
            if self._protocol.parse_on():
                return
            super().resume_reading()

    def _rested(self) -> None:
        self._timer = None
        if not self._transport.is_closing():
            self.resume_reading()


class PacedProtocol(HttpToolsProtocol):
    """One connection. `data_received` of a subclass hands on what is over `_room` bytes."""

    # Not in the instance's dict, which uvicorn fills to where CPython still looks up fast.
    __slots__ = ("_held", "_room", "_running", "_write_timer")

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
    ) -> None:
        """As uvicorn makes it."""
        super().__init__(config, server_state, app_state, _loop)
        self._room = PIECE
        self._held = b""  # read, and not parsed yet; reading is paused meanwhile
        self._running: RequestResponseCycle | None = None  # the one that is answered now
        self._write_timer: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Wait for the first request as for any other; uvicorn waits for it without end."""
        super().connection_made(transport)
        self.flow = Intake(transport, self)
        self._wait_idle()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what waits."""
        self._held = b""
        self._stop_write_timer()
        self._unset_keepalive_if_required()  # uvicorn's own does so for a clean end alone
        running = self._running
        if running is not None and not running.response_complete:  # uvicorn tells the newest
            running.disconnected = True
            running.message_event.set()
        if isinstance(self.flow, Intake):  # uvicorn's own until the connection is made
            self.flow.stop()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Wait for a client that does not read as long as for one that does not ask."""
        super().pause_writing()
        self._stop_write_timer()
        self._write_timer = self.loop.call_later(self.timeout_keep_alive, self.transport.abort)

    def resume_writing(self) -> None:
        """It reads again."""
        self._stop_write_timer()
        super().resume_writing()
        self._bound_close()

    def on_response_complete(self) -> None:
        """Go on, or see that the end comes."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._bound_close()

    def timeout_keep_alive_handler(self) -> None:
        """Close, at once where the client has not read its answers."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def begins(self, cycle: RequestResponseCycle) -> None:
        """It is this request's turn."""
        self._running = cycle
        self._unset_keepalive_if_required()  # one that was refused in the same read armed it

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self.begins(cycle)
        super()._start_asgi_task(cycle, app)

    def parse_on(self) -> bool:
        """Whether something is held; it is parsed in the next turn."""
        if self._held:
            self.loop.call_soon(self._parse_held)
        return bool(self._held)

    def _receive_pieces(self, data: bytes) -> None:
        """Parse one piece, or those of one body, and hold the rest."""
        position = 0
        while self._room != NO_ROOM and not self.transport.is_closing():
            if self.pipeline or position >= len(data) or (position and self._room != BODY_PIECE):
                break
            end = position + self._room
            self.data_received(data[position:end])
            position = end
        else:
            return  # what comes behind the end is dropped
        self._held = data[position:]
        if self._held:
            self.flow.pause_reading()
            if not self.pipeline:
                self.loop.call_soon(self._parse_held)

    def _parse_held(self) -> None:
        if isinstance(self.flow, Intake) and self.flow.resting:
            return
        held, self._held = self._held, b""
        if held:
            self._receive_pieces(held)
        cycle = self.cycle
        unread = 0 if cycle is None or cycle.response_complete else len(cycle.body)
        if not self._held and unread <= HIGH_WATER_LIMIT:  # above it, its reader resumes
            self.flow.resume_reading()

    def _wait_idle(self) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def _close(self) -> None:
        """Close, once the client has read; it has as long for that as ever."""
        self.transport.close()
        self._bound_close()

    def _bound_close(self) -> None:
        transport = self.transport
        unread = transport.is_closing() and transport.get_write_buffer_size()
        if unread and self._write_timer is None:
            self._write_timer = self.loop.call_later(self.timeout_keep_alive, transport.abort)

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None
