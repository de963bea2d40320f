"""Signals that end a command: it undoes what it made, and nothing cuts that short."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def interrupt() -> None:
    """Each of them is a KeyboardInterrupt. A script's background job would ignore SIGINT."""
    for number in ENDING:
        signal.signal(number, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def whole(action: Callable[..., object], *given: object) -> None:
    """Do it with them ignored."""
    with ignored():
        action(*given)


@contextmanager
def ignored() -> Iterator[None]:
    """For what has to be done whole; its waits have bounds of their own."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
