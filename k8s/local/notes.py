"""Progress on standard error: what a command prints for scripts stays clean."""

import sys


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
