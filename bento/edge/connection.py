"""What a connection may take before it is a request: bounds of heads in bytes and in time.

uvicorn has neither. Its parser keeps whatever comes until a head is whole, so that one header could
fill the memory, and nothing ends the wait for the rest of a head. A whole request in one read, the
ordinary case, costs no more than in uvicorn; only what is unfinished is looked at.
"""

from asyncio import AbstractEventLoop, TimerHandle
from typing import Any, ClassVar

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.server import ServerState

from bento.edge.answers import Answers
from bento.edge.body import CLOSE
from bento.edge.flow import BODY_PIECE, NO_ROOM, PIECE
from bento.edge.upgrade import PlainProtocol
from bento.limits import Limits
from nlpserve.errors import HeadTooLarge, InvalidRequest, NlpserveError, SlowHead


class BoundedProtocol(PlainProtocol):
    """One connection. While none of its requests is being answered, a timer runs.

    A message is a request from its first byte to its last; uvicorn makes a `scope` for each at its
    first byte, and a `cycle` when its head is whole.
    """

    limits: ClassVar[Limits]
    answers: ClassVar[Answers]

    __slots__ = ("_body_came", "_bytes", "_part", "_refusal", "_timer", "_whole")

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
    ) -> None:
        """As uvicorn makes it."""
        super().__init__(config, server_state, app_state, _loop)
        self._whole: object = None  # scope of the newest message that is whole
        self._part: object = None  # scope of the head, or cycle of the body, that is counted
        self._bytes = 0  # of that head, or since that body's last byte: of its trailers
        self._body_came = False
        self._timer: TimerHandle | None = None
        self._refusal: NlpserveError | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and see what is left unfinished."""
        if len(data) > self._room:
            self._receive_pieces(data)
            return
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None
        scope, whole = self.scope, self._whole
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as upgrade:  # not granted, so that what follows is HTTP still
            self._read_again()
            if rest := data[upgrade.args[0] :]:
                self.data_received(rest)
                return
        except HttpParserError:
            self._refuse(InvalidRequest("This is not an HTTP/1.1 request.", headers=CLOSE))
        if not (
            self._whole is self.scope is not scope and self._timer is None and self._part is None
        ):
            self._look(len(data), from_first_byte=whole is scope and whole is self._whole)

    def on_body(self, body: bytes) -> None:
        """Its reader bounds a body; what is counted here is what is none."""
        self._body_came = True
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.body += body
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            cycle.message_event.set()

    def on_message_complete(self) -> None:
        """Remember that the message is whole."""
        if self._again:
            return
        self._whole = self.scope
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.more_body = False
            cycle.message_event.set()

    def _look(self, size: int, *, from_first_byte: bool) -> None:
        """Bound what is unfinished; `from_first_byte`: its message began with these bytes."""
        if self._refusal is not None or self.transport.is_closing():
            return
        cycle = self.cycle
        idle = cycle is None or cycle.response_complete
        if self._whole is self.scope:  # a body's end, or blank lines between two requests
            self._count(None, 0)
            if idle and self.timeout_keep_alive_task is None:
                self._wait_idle()
            return
        in_head = cycle is None or cycle.scope is not self.scope
        part = self.scope if in_head else cycle
        if part is not self._part:
            self._count(part, size if in_head and from_first_byte else 0)
        else:
            self._count(part, 0 if self._body_came else self._bytes + size)
        if not in_head:
            self._room = BODY_PIECE
        if self._bytes >= self.limits.head_bytes:
            self._refuse(
                HeadTooLarge(
                    f"The headers are over {self.limits.head_bytes} bytes (max_head_bytes).",
                    headers=CLOSE,
                )
            )
        elif self._timer is None and (in_head or idle):  # the reader of a body has its own timeout
            self._wait_late()

    def _count(self, part: object, size: int) -> None:
        if part is not self._part:
            self._stop_timer()
        self._part, self._bytes, self._body_came = part, size, False
        self._room = min(PIECE, self.limits.head_bytes - size)

    def _wait_late(self) -> None:
        self._timer = self.loop.call_later(self.limits.head_timeout_seconds, self._late)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            self._wait_late()  # its client waits for us, too
        elif cycle is not None and cycle.scope is self.scope:
            self._close()  # the rest of a body that was answered without it
        else:
            self._refuse(
                SlowHead(
                    f"The head did not arrive within {self.limits.head_timeout_seconds:g} s"
                    " (head_timeout_seconds).",
                    headers=CLOSE,
                )
            )

    def _refuse(self, error: NlpserveError) -> None:
        """Answer once more, behind the answers to whole requests, and close."""
        if self._refusal is not None:
            return
        self._refusal = error
        self._room = NO_ROOM
        self._stop_timer()
        cycle = self.cycle
        if cycle is None or (cycle.scope is not self.scope and cycle.response_complete):
            self._end()
        elif cycle.scope is not self.scope or self._whole is self.scope:
            self.flow.pause_reading()
            cycle.on_response = self._end
        elif self.pipeline:  # it waits for its turn, which it will not have
            self.pipeline.popleft()
            before = self.pipeline[0][0] if self.pipeline else self._running
            self.flow.pause_reading()
            if before is not None:
                before.on_response = self._end
        elif cycle.response_started:  # the body of a request with another answer
            self._close()
        else:
            cycle.disconnected = True  # nobody waits for another answer of it
            cycle.message_event.set()
            self._end()

    def _end(self) -> None:
        if self._refusal is not None and not self.transport.is_closing():
            defaults = self.server_state.default_headers
            self.transport.write(self.answers.refusal(self._refusal, defaults))
            self._close()
