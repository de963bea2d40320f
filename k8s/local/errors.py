"""ClusterError
├── Missing      the machine lacks something; says what to do
├── BuildFailed  a component did not build
├── Busy         another command had what this one needs for too long
└── StartFailed  a component did not come up; carries the end of its log
"""

from pathlib import Path


class ClusterError(Exception):
    """Something the person at the terminal can read and act on."""


class Missing(ClusterError):
    """The machine lacks something; the message names it and the remedy."""


class BuildFailed(ClusterError):
    """A component did not build."""


class Busy(ClusterError):
    """Another command had what this one needs for too long."""


class StartFailed(ClusterError):
    """A component did not come up in time."""

    def __init__(self, message: str, log: Path | None = None) -> None:
        super().__init__(message)
        self.log = log

    def __str__(self) -> str:
        text = super().__str__()
        if self.log is None:
            return text
        return f"{text}\n{self.log.name} ended with:\n{last_lines(self.log)}"


def last_lines(log: Path, count: int = 15, most: int = 400) -> str:
    """The end of a log, indented; a line is cut at `most` characters."""
    if not log.is_file():
        return "  (nothing logged)"
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 64_000))
        lines = file.read().decode(errors="replace").splitlines()[-count:]
    return "\n".join(f"  {line[:most]}" for line in lines) or "  (nothing logged)"
