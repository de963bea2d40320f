"""Pages of docs/ whose figures come from results: what stands between two marks is generated."""

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


def fill(page: Path, parts: dict[str, str], *, check: bool) -> bool:
    """Whether the page was as it should be; unless `check`, it is now. Raises ValueError."""
    text = page.read_text(encoding="utf-8")
    wanted = filled(text, parts)
    if text != wanted and not check:
        page.write_text(wanted, encoding="utf-8")
    return text == wanted


def stale(wanted: Mapping[Path, str], *, check: bool) -> list[Path]:
    """The files that were not as wanted; unless `check`, they are now."""
    found = [
        file
        for file, text in wanted.items()
        if not file.is_file() or file.read_text(encoding="utf-8") != text
    ]
    if not check:
        for file in found:
            file.write_text(wanted[file], encoding="utf-8")
    return found
