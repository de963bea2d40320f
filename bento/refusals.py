"""Why a batcher turns texts away, in words: which setting would have to be another."""

from nlpserve.errors import Overloaded
from nlpserve.metrics import Rejection


def dead(why: str) -> Overloaded:
    """The model can answer nothing any more."""
    return Overloaded(f"The model is dead: {why}", reason=Rejection.MODEL_DEAD)


def full(depth: int, limit: int, retry_after: int) -> Overloaded:
    """The queue has no room."""
    return Overloaded(
        f"The queue holds {depth} texts; the limit is {limit} (queue_limit).",
        reason=Rejection.QUEUE_FULL,
        retry_after=retry_after,
    )


def hopeless(expected: float, limit: float, retry_after: int) -> Overloaded:
    """They would wait longer than they may, so they do not begin to; both in seconds."""
    return Overloaded(
        f"The wait would be about {expected:.1f} s; the limit is {limit:g} s (deadline_seconds).",
        reason=Rejection.DEADLINE,
        retry_after=retry_after,
    )


def expired(limit: float, retry_after: int) -> Overloaded:
    """They have waited longer than they may."""
    return Overloaded(
        f"Waited longer than {limit:g} s (deadline_seconds).",
        reason=Rejection.EXPIRED,
        retry_after=retry_after,
    )
