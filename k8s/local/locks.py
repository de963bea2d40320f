"""Locks of the local cluster, in the words of its commands."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from k8s.local.errors import Busy
from k8s.local.notes import note
from nlpserve import locks


@contextmanager
def locked(file: Path, other: str, seconds: float) -> Iterator[None]:
    """Hold the file's lock; `other` names who may have it.

    Raises Busy when that one still has it after `seconds`.
    """
    with ExitStack() as held:
        try:
            held.enter_context(
                locks.locked(file, seconds, lambda: note(f"waiting for {other} to end"))
            )
        except TimeoutError as error:
            raise Busy(f"{other} did not end: {error}") from None
        yield
