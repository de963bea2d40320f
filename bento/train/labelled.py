"""Labelled files: the intent service's JSON and GoEmotions' TSV, as texts with their labels."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bento.train.emotion.data import MAPPED
from bento.train.errors import LabelledFileError

LABEL, TEXT = "intent", "sentence"


class Labelled(NamedTuple):
    """One text and the labels that count as right for it, the file's first label first."""

    text: str
    labels: tuple[str, ...]


def read_labelled(path: Path) -> list[Labelled]:
    """Read a labelled file; .json and .tsv by suffix, any other name by its first character.

    JSON holds `[{"intent", "sentence"}]`, or the same table by columns, as pandas writes it. TSV
    holds text, label ids by comma, and a comment id; the 28 ids are mapped onto the 14 labels.
    Raises LabelledFileError, which names the row and the field.
    """
    try:
        content = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise LabelledFileError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise LabelledFileError(f"{path} is not UTF-8: byte {error.start}") from None
    suffix = path.suffix.lower()
    as_json = suffix == ".json" or (suffix != ".tsv" and content.lstrip()[:1] in ("[", "{"))
    rows = list(_from_json(content, path) if as_json else _from_tsv(content))
    if not rows:
        raise LabelledFileError(f"{path} holds no rows")
    return rows


def read_texts(path: Path) -> list[str]:
    """Texts without labels: a labelled file's texts, or else the lines of a .txt file."""
    if path.suffix.lower() != ".txt":
        return [row.text for row in read_labelled(path)]
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise LabelledFileError(f"{path} cannot be read: {error}") from None
    texts = [line for line in lines if line.strip()]
    if not texts:
        raise LabelledFileError(f"{path} holds no texts")
    return texts


def read_records(content: str, path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON table, by rows or by columns.

    Raises LabelledFileError when it is no table.
    """
    try:
        table = json.loads(content)
    except ValueError as error:
        raise LabelledFileError(f"{path} is not JSON: {error}") from None
    if isinstance(table, dict):
        table = _by_rows(table, path)
    if not isinstance(table, list):
        raise LabelledFileError(f"{path} holds no list of rows")
    for number, record in enumerate(table, start=1):
        if not isinstance(record, dict):
            raise LabelledFileError("is no object", row=number)
    return table


def _by_rows(columns: dict[str, Any], path: Path) -> list[dict[str, Any]]:
    first = next(iter(columns.values()), None)
    keys = list(first) if isinstance(first, dict) else []
    for name, column in columns.items():
        if not isinstance(column, dict) or list(column) != keys:
            raise LabelledFileError(f"{path} has no rows in column {name!r}, or not the same ones")
    return [{name: column[key] for name, column in columns.items()} for key in keys]


def _from_json(content: str, path: Path) -> Iterator[Labelled]:
    for number, record in enumerate(read_records(content, path), start=1):
        for key in (LABEL, TEXT):
            value = record.get(key)
            if not isinstance(value, str):
                what = "is missing" if value is None else f"is {type(value).__name__}, not text"
                raise LabelledFileError(what, row=number, key=key)
            if not value.strip():
                raise LabelledFileError("is empty", row=number, key=key)
        yield Labelled(record[TEXT], (record[LABEL],))


def _from_tsv(content: str) -> Iterator[Labelled]:
    # Texts may hold other line separators of Unicode, so only \n ends a row.
    for number, line in enumerate(content.removesuffix("\n").split("\n"), start=1):
        fields = line.rstrip("\r").split("\t")
        if len(fields) < 2:
            raise LabelledFileError("has no tab between text and labels", row=number)
        if not fields[0].strip():
            raise LabelledFileError("is empty", row=number, key="text")
        yield Labelled(fields[0], _mapped(fields[1], number))


def _mapped(ids: str, number: int) -> tuple[str, ...]:
    labels: list[str] = []
    for part in ids.split(","):
        if not (part.isascii() and part.isdigit() and int(part) < len(MAPPED)):
            message = f"{part!r} is no id from 0 to {len(MAPPED) - 1}"
            raise LabelledFileError(message, row=number, key="labels")
        labels.append(MAPPED[int(part)])
    return tuple(dict.fromkeys(labels))


def check_labels(rows: Sequence[Labelled], labels: Sequence[str]) -> None:
    """Raise LabelledFileError when a row has a label that the model does not know."""
    known = set(labels)
    for number, row in enumerate(rows, start=1):
        for label in row.labels:
            if label not in known:
                names = ", ".join(sorted(known))
                message = f"the model has no label {label!r}; it has {names}"
                raise LabelledFileError(message, row=number, key="label")
