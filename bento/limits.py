"""What a request may hold. Every route and BentoML's own API ask here."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bento.settings import Settings
from nlpserve.errors import LimitExceeded, Overloaded, UnprocessableRequest
from nlpserve.metrics import Rejection


class OpenBodies:
    """Bytes of all bodies that have begun and not ended, so that many slow ones fit in memory."""

    __slots__ = ("limit", "size")

    def __init__(self, limit: int) -> None:
        """`limit` in bytes."""
        self.limit = limit
        self.size = 0

    def add(self, size: int) -> None:
        """Count bytes that arrived. Raises Overloaded when there is no room for them."""
        if self.size + size > self.limit:
            raise Overloaded(
                f"Bodies that arrive hold {self.size} bytes; the limit is {self.limit}"
                " (max_open_body_bytes).",
                reason=Rejection.OPEN_BODIES,
            )
        self.size += size


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of `Settings` that bound one request, and all open ones together."""

    head_bytes: int
    head_timeout_seconds: float
    body_bytes: int
    texts: int
    characters: int
    json_depth: int
    body_timeout_seconds: float
    open_bodies: OpenBodies = field(default_factory=lambda: OpenBodies(1 << 26), compare=False)

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """The limits that these settings set."""
        return cls(
            head_bytes=settings.max_head_bytes,
            head_timeout_seconds=settings.head_timeout_seconds,
            body_bytes=settings.max_body_bytes,
            texts=settings.max_texts,
            characters=settings.max_characters,
            json_depth=settings.max_json_depth,
            body_timeout_seconds=settings.body_timeout_seconds,
            open_bodies=OpenBodies(settings.max_open_body_bytes),
        )


def check_text(text: str, name: str, limits: Limits) -> None:
    """Raise UnprocessableRequest for an empty text, LimitExceeded for one that is too long."""
    if len(text) > limits.characters:
        raise LimitExceeded(
            f"{name} has {len(text)} characters; the limit is {limits.characters} (max_characters)."
        )
    if not text or text.isspace():
        raise UnprocessableRequest(f"{name} is empty.")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise UnprocessableRequest(f"{name} holds lone surrogates.") from None


def check_texts(texts: Sequence[str], name: str, limits: Limits) -> None:
    """Check a request's texts, and that there is at least one and not too many."""
    if not texts:
        raise UnprocessableRequest(f"{name} is empty.")
    if len(texts) > limits.texts:
        raise LimitExceeded(
            f"{name} has {len(texts)} texts; the limit is {limits.texts} (max_texts)."
        )
    for position, text in enumerate(texts):
        check_text(text, f"{name}[{position}]", limits)
