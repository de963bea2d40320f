import os
import pty
import subprocess
import sys

import pytest

from bento.image.engines import ImageError
from bento.image.progress import run_quietly


def shell(script):
    return ["sh", "-c", script]


def test_what_succeeds_prints_nothing_and_is_kept(tmp_path, capfd):
    log = tmp_path / "log"
    for word in ("first", "second"):
        run_quietly(shell(f"echo {word}; echo aside >&2"), log)
    assert capfd.readouterr() == ("", "")
    assert log.read_text(encoding="utf-8") == "first\naside\nsecond\naside\n"


def test_what_fails_shows_all_that_went_before(tmp_path, capfd):
    log = tmp_path / "log"
    run_quietly(shell("echo before"), log)
    with pytest.raises(ImageError, match="sh -c failed with exit code 3"):
        run_quietly(shell(r"printf 'broken \377\n'; exit 3"), log)
    assert capfd.readouterr() == ("", "before\nbroken \N{REPLACEMENT CHARACTER}\n")


def test_a_terminal_shows_the_last_line_and_is_left_clear(tmp_path):
    code = (
        "import pathlib, sys\n"
        "from bento.image.progress import run_quietly\n"
        f"run_quietly(['sh', '-c', 'echo one; echo two'], pathlib.Path({str(tmp_path / 'log')!r}))"
    )
    ours, theirs = pty.openpty()
    try:
        subprocess.run([sys.executable, "-c", code], stderr=theirs, check=True)
        shown = os.read(ours, 1000)
    finally:
        os.close(ours)
        os.close(theirs)
    assert shown.split(b"\r\x1b[K") == [b"", b"one", b"two", b""]
