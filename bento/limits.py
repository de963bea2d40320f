"""What a request may hold. Every route and BentoML's own API ask here."""

from collections.abc import Sequence
from dataclasses import dataclass

from bento.settings import Settings
from nlpserve.errors import LimitExceeded, UnprocessableRequest


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of `Settings` that bound one request."""

    body_bytes: int
    texts: int
    characters: int
    json_depth: int
    body_timeout_seconds: float

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """The limits that these settings set."""
        return cls(
            body_bytes=settings.max_body_bytes,
            texts=settings.max_texts,
            characters=settings.max_characters,
            json_depth=settings.max_json_depth,
            body_timeout_seconds=settings.body_timeout_seconds,
        )


def check_text(text: str, field: str, limits: Limits) -> None:
    """Raise UnprocessableRequest for an empty text, LimitExceeded for one that is too long."""
    if len(text) > limits.characters:
        raise LimitExceeded(
            f"{field} has {len(text)} characters; the limit is {limits.characters}"
            " (max_characters)."
        )
    if not text or text.isspace():
        raise UnprocessableRequest(f"{field} is empty.")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise UnprocessableRequest(f"{field} holds lone surrogates.") from None


def check_texts(texts: Sequence[str], field: str, limits: Limits) -> None:
    """Check a request's texts, and that there is at least one and not too many."""
    if not texts:
        raise UnprocessableRequest(f"{field} is empty.")
    if len(texts) > limits.texts:
        raise LimitExceeded(
            f"{field} has {len(texts)} texts; the limit is {limits.texts} (max_texts)."
        )
    for position, text in enumerate(texts):
        check_text(text, f"{field}[{position}]", limits)
