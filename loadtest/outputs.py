"""Whether a result will have a place, asked before what takes long."""

import os
from pathlib import Path

from loadtest.spec import SpecError


def check(path: Path) -> None:
    """Raises SpecError where no file can be written here."""
    if path.is_dir():
        raise SpecError(f"{path} is a folder")
    place = path if path.exists() else next(up for up in path.absolute().parents if up.exists())
    if not os.access(place, os.W_OK) or not (place.is_dir() or path.exists()):
        raise SpecError(f"{path} cannot be written: look at {place}")
