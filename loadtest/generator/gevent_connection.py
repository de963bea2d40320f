"""One HTTP/1.1 connection of a Locust user: a socket of gevent's, no retry, no second attempt.

FastHttpUser costs about a millisecond of CPU a request; this costs a tenth, and an idle connection
costs its socket and nothing else.
"""

import select
import time
from typing import Final

import gevent
import gevent.socket
import httptools
from gevent.monkey import get_original

from loadtest.generator.connection import MAX_ANSWER_BYTES, Lost, Response, lost
from nlpserve.load_results import Outcome

CHUNK_BYTES: Final = 65_536
POLL: Final = get_original("select", "poll")
"""That of the kernel; gevent's own would switch to other users."""


class _Reader:
    """Puts one answer together."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.body = bytearray()
        self.whole = False
        self.status = 0
        self.close = False

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        status = self.parser.get_status_code()
        if status < 200:  # an interim answer; the one that counts follows
            self.body.clear()
            return
        self.status, self.whole = status, True
        self.close = not self.parser.should_keep_alive()


class GeventConnection:
    """One request at a time."""

    def __init__(self, address: str, port: int, timeout: float) -> None:
        """Connect. Raises Lost when nobody takes it, OSError when this machine cannot."""
        self._timeout = timeout
        self.stopped = False
        """Whether the user was told to stop during a request, which then goes on to its end."""
        try:
            self._socket = gevent.socket.create_connection((address, port), timeout=timeout)
        except TimeoutError:
            raise Lost(Outcome.TIMED_OUT, "no answer to the connection") from None
        except OSError as error:
            raise lost(error) from None
        self._socket.setsockopt(gevent.socket.IPPROTO_TCP, gevent.socket.TCP_NODELAY, 1)

    @property
    def usable(self) -> bool:
        """Whether it takes a request: bytes on an idle connection say that the server left it."""
        poll = POLL()
        poll.register(self._socket.fileno(), select.POLLIN)
        return not poll.poll(0)

    def exchange(self, request: bytes) -> Response:
        """Send the request and wait for the whole answer. Raises Lost."""
        reader = _Reader()
        received = 0
        deadline = time.monotonic() + self._timeout
        try:
            self._socket.settimeout(self._timeout)
            self._socket.sendall(request)
            while not reader.whole:
                self._socket.settimeout(max(0.001, deadline - time.monotonic()))
                try:
                    data = self._socket.recv(CHUNK_BYTES)
                except gevent.GreenletExit:  # the user is to stop, but what was sent is counted
                    self.stopped = True
                    continue
                if not data:
                    raise Lost(Outcome.RESET, f"closed after {received} bytes of the answer")
                received += len(data)
                if received > MAX_ANSWER_BYTES:
                    raise Lost(Outcome.RESET, f"more than {MAX_ANSWER_BYTES} bytes")
                reader.parser.feed_data(data)
        except TimeoutError:
            raise Lost(Outcome.TIMED_OUT, "no whole answer in time") from None
        except OSError as error:
            raise lost(error) from None
        except httptools.HttpParserError as error:
            raise Lost(Outcome.RESET, f"no HTTP: {error}") from None
        return Response(reader.status, bytes(reader.body), reader.close)

    def close(self) -> None:
        """End it."""
        self._socket.close()
