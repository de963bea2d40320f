"""Errors of the training commands: one clear line each, no traceback for the user."""


class TrainError(Exception):
    """A step, a file or a check failed; the message is one line that says which and why."""

    exit_code = 1


class UnreachableError(TrainError):
    """A data source or a running service did not answer as it should."""

    exit_code = 3


class LabelledFileError(TrainError):
    """A row of a labelled file cannot be read."""

    def __init__(self, message: str, *, row: int | None = None, key: str | None = None) -> None:
        """`row` counts from 1 in the order of the file; `key` is the field of that row."""
        where = "file" if row is None else f"row {row}"
        super().__init__(f"[{where}{f' -> {key}' if key else ''}] {message}")
