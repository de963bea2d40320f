"""Locks that all clones of a machine share. Who waits says so, once, and not for ever."""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

BETWEEN_LOOKS = 0.2
"""Seconds: flock(2) itself waits without a bound."""


@contextmanager
def locked(file: Path, seconds: float, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the file's lock; `waiting` is called once when another has it.

    Raises TimeoutError when that one still has it after `seconds`.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="ascii") as lock:
        deadline = time.monotonic() + seconds
        told = False
        while not take(lock):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {seconds:.0f} s; the lock is {file}")
            if not told:
                waiting()
                told = True
            time.sleep(BETWEEN_LOOKS)
        yield


def take(lock: IO[str]) -> bool:
    """Whether nobody else has it; then it is ours until the file is closed."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
