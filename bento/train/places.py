"""Folders and files that the steps of a model share, and what both models' artifacts say."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

VERSION = "1.0.0"
SEED = 1
JAR = "weights/bge-small-en-v15.jar"


@dataclass(frozen=True, slots=True)
class Places:
    """`data` and `work` are folders; `jar` holds the pretrained bge-small-en-v1.5."""

    data: Path
    work: Path
    jar: Path

    @classmethod
    def of(cls, data: Path, work: Path, jar: Path | None = None) -> "Places":
        """The jar lies in the data folder unless told."""
        return cls(data=data, work=work, jar=jar or data / JAR)


def installed(package: str) -> str | None:
    """The version of a package that holds pretrained weights; None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
