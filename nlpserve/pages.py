"""Pages of docs/ whose figures come from results: what stands between two marks is generated."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

BEGIN: Final = "<!-- begin: {} -->"
END: Final = "<!-- end: {} -->"


def filled(text: str, parts: dict[str, str]) -> str:
    """The page with each part between its marks. Raises ValueError for a mark that is missing."""
    for name, part in parts.items():
        begin, end = BEGIN.format(name), END.format(name)
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"the page has no {begin} … {end}")
        text = f"{before}{begin}\n{part}\n{end}{after}"
    return text


def renewed(page: Path, parts: dict[str, str]) -> dict[Path, str]:
    """The page and what it should hold, for `write`. Raises ValueError as `filled`."""
    return {page: filled(page.read_text(encoding="utf-8"), parts)}


def write(wanted: Mapping[Path, str], *, source: object, check: bool) -> None:
    """Write the files that are not as wanted, which `source` says.

    With `check` none is written: each is named, and the process ends with 1.
    """
    stale = [
        file
        for file, text in wanted.items()
        if not file.is_file() or file.read_text(encoding="utf-8") != text
    ]
    for file in stale:
        if check:
            name = os.path.relpath(file)
            sys.stderr.write(f"{name} is not what {source} says: run `make generate`\n")
        else:
            file.write_text(wanted[file], encoding="utf-8")
    if check and stale:
        raise SystemExit(1)
