"""Reads a scenario: one of loadtest/scenarios by its name, or a file of the user's own."""

from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]
from pydantic import ValidationError

from loadtest.spec import SpecError
from nlpserve.load_scenarios import Scenario

FOLDER: Final = Path(__file__).parent / "scenarios"
MOST_TEXT_BYTES: Final = 900_000
"""A ConfigMap holds a megabyte."""


def names() -> list[str]:
    """The ready ones."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def path_of(given: str) -> Path:
    """A file, or the ready scenario of that name. Raises SpecError."""
    if Path(given).is_file():
        return Path(given)
    ready = FOLDER / f"{given}.yaml"
    if not ready.is_file():
        raise SpecError(
            f"no scenario {given}: neither a file nor one of {', '.join(names()) or 'none'}"
        )
    return ready


def read(given: str, changes: list[str]) -> tuple[Scenario, str | None]:
    """The scenario with `KEY.KEY=VALUE` changes, and the user's own texts if it names a file.

    Raises SpecError with a line for each thing that is wrong.
    """
    path = path_of(given)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SpecError(f"{path}: {error}") from None
    if not isinstance(content, dict):
        raise SpecError(f"{path} is no mapping of fields to values")
    for change in changes:
        _change(content, change)
    try:
        scenario = Scenario.model_validate(content)
    except ValidationError as error:
        raise SpecError(_explained(path, error)) from None
    return scenario, _texts(path, scenario)


def _change(content: dict[str, Any], change: str) -> None:
    name, sign, text = change.partition("=")
    if not sign or not name:
        raise SpecError(f"{change!r} is not of the form KEY.KEY=VALUE")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SpecError(f"{change!r}: {error}") from None
    *folders, last = name.split(".")
    place = content
    for folder in folders:
        inner = place.get(folder)
        if not isinstance(inner, dict):
            inner = place[folder] = {}
        place = inner
    place[last] = value


def _explained(path: Path, error: ValidationError) -> str:
    lines = []
    for entry in error.errors():
        where = " -> ".join(map(str, entry["loc"])) or "the scenario"
        lines.append(f"{path.name} [{where}] {entry['msg']}")
    return "\n".join(lines)


def _texts(path: Path, scenario: Scenario) -> str | None:
    if scenario.texts.file is None:
        return None
    file = path.parent / scenario.texts.file
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"texts.file: {error}") from None
    if len(text.encode()) > MOST_TEXT_BYTES:
        raise SpecError(f"texts.file: {file} has more than {MOST_TEXT_BYTES} bytes")
    return text
