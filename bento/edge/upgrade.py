"""No request changes the protocol: whoever asks for an upgrade is answered as if it had not.

The parser takes it for granted that an upgrade is granted: it hands on a head that asks for one
without its body, whose bytes would then be read as the next request.
"""

from httptools import HttpRequestParser

from bento.edge.flow import PacedProtocol


class PlainProtocol(PacedProtocol):
    """One connection. A subclass calls `_read_again` when the parser stops for an upgrade."""

    __slots__ = ("_again",)

    _again: bool
    """Whether the newest whole head is read once more, without its wish."""

    def on_headers_complete(self) -> None:
        """Begin the request, unless its body would be lost."""
        parser = self.parser
        self._again = (
            parser.should_upgrade() and parser.get_method() != b"CONNECT" and self._has_body()
        )
        if not self._again:
            super().on_headers_complete()

    def _should_upgrade(self) -> bool:
        """Never: no route speaks WebSocket, and its connections would have no bounds."""
        return False

    def _has_body(self) -> bool:
        return any(
            name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0"))
            for name, value in self.headers
        )

    def _read_again(self) -> None:
        """The head without the wish, by a new parser, which goes on with the body."""
        if not self._again:
            return
        lines = b"".join([b"%b: %b\r\n" % pair for pair in self.headers if pair[0] != b"upgrade"])
        head = b"%b %b HTTP/1.1\r\n%b\r\n" % (self.parser.get_method(), self.url, lines)
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's
        self.parser.feed_data(head)
