"""What the user is told while an image is made, on standard error."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bento.image.engines import ImageError

CLEAR_LINE: Final = "\r\x1b[K"


def say(text: str) -> None:
    """Tell the user; standard output is for the archive's path."""
    sys.stderr.write(f"nlpserve: {text}\n")


def run_quietly(command: Sequence[str], log: Path) -> None:
    """Run it; what it prints goes to the end of the log, and a terminal shows the last line.

    Raises ImageError, after it has shown the whole log.
    """
    terminal = sys.stderr.isatty()
    room = shutil.get_terminal_size().columns - 1
    with (
        log.open("a", encoding="utf-8") as kept,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            encoding="utf-8", errors="replace",
        ) as running,
    ):  # fmt: skip
        for line in running.stdout or ():
            kept.write(line)
            if terminal:
                sys.stderr.write(f"{CLEAR_LINE}{line.strip()[:room]}")
                sys.stderr.flush()
    if terminal:
        sys.stderr.write(CLEAR_LINE)
    if running.returncode:
        sys.stderr.write(log.read_text(encoding="utf-8"))
        raise ImageError(f"{' '.join(command[:2])} failed with exit code {running.returncode}")
