"""A user's own texts, for loads of one text a request."""

import math
from pathlib import Path

from loadtest.calibration.spec import MOST_TEXT_BYTES, MOST_TEXTS, fitting
from loadtest.spec import SpecError


def read(path: Path | None, most: int = MOST_TEXTS) -> tuple[str, ...]:
    """One text a line, evenly from the whole file, as many as a load has room for.

    None without a file. Raises SpecError.
    """
    if path is None:
        return ()
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: {error}") from None
    found = fitting([line for line in lines if line])
    if not found:
        raise SpecError(f"{path}: no text of at most {MOST_TEXT_BYTES} bytes in it")
    return tuple(found[:: math.ceil(len(found) / most)])
