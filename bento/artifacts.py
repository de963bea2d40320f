"""The artifact: a folder with `manifest.json` and the files it names, checked before use."""

import hashlib
import json
import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

MANIFEST = "manifest.json"
NAME_PATTERN = r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$"
Kind = Literal["spacy", "transformer-onnx"]


class ArtifactError(Exception):
    """The artifact cannot be served; the message is one line that says why."""


class Profile(BaseModel):
    """What the training texts looked like to the shipped model, for drift."""

    model_config = ConfigDict(extra="forbid")

    documents: int = Field(gt=0)
    characters_edges: list[float] = Field(description="Inner edges of the text-length bins.")
    characters: list[float] = Field(description="Share of training texts in each bin.")
    confidence_edges: list[float] = Field(description="Inner edges of the top-score bins.")
    confidence: list[float] = Field(description="Share of training texts in each bin.")
    labels: dict[str, float] = Field(description="Share of training texts predicted as each label.")
    unknown_words: float = Field(ge=0, le=1, description="Share of words the model does not know.")

    @model_validator(mode="after")
    def _bins_have_shares(self) -> Self:
        if len(self.characters) != len(self.characters_edges) + 1:
            msg = "characters needs one share more than there are edges"
            raise ValueError(msg)
        if len(self.confidence) != len(self.confidence_edges) + 1:
            msg = "confidence needs one share more than there are edges"
            raise ValueError(msg)
        return self


class Manifest(BaseModel):
    """Facts of an artifact. `files` maps a relative path to the sha256 of its content."""

    model_config = ConfigDict(extra="forbid")

    schema_version: Literal[1] = 1
    name: str = Field(pattern=NAME_PATTERN)
    version: str = Field(pattern=r"^\d+\.\d+\.\d+([-+][0-9A-Za-z.-]+)?$")
    kind: Kind
    labels: Annotated[list[str], Field(min_length=2, max_length=10_000)]
    language: str = Field(pattern=r"^[a-z]{2,3}$")
    files: Annotated[dict[str, str], Field(min_length=1)]
    max_tokens: int | None = Field(default=None, gt=0, description="Longer texts are cut here.")
    scores: dict[str, float] = Field(default_factory=dict, description="Evaluation, by measure.")
    profile: Profile | None = None
    licence: str
    created_by: str

    @field_validator("labels")
    @classmethod
    def _labels_differ(cls, labels: list[str]) -> list[str]:
        if len(set(labels)) != len(labels):
            msg = "labels must differ from one another"
            raise ValueError(msg)
        return labels

    @field_validator("files")
    @classmethod
    def _files_stay_inside(cls, files: dict[str, str]) -> dict[str, str]:
        for name, digest in files.items():
            parts = Path(name).parts
            if Path(name).is_absolute() or ".." in parts or name == MANIFEST:
                msg = f"file {name!r} must be a path inside the artifact"
                raise ValueError(msg)
            if not re.fullmatch(r"[0-9a-f]{64}", digest):
                msg = f"file {name!r} has no sha256"
                raise ValueError(msg)
        return files

    @model_validator(mode="after")
    def _profile_is_of_the_labels(self) -> Self:
        if self.profile is not None and set(self.profile.labels) != set(self.labels):
            msg = "the profile's labels must be the model's"
            raise ValueError(msg)
        return self

    @property
    def sha256(self) -> str:
        """One digest for the whole artifact: over the sorted names and digests of its files."""
        lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(self.files.items()))
        return hashlib.sha256(lines.encode()).hexdigest()


class Artifact:
    """A checked artifact on disk."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        """Use `read_artifact`; this takes a manifest already checked against the folder."""
        self.folder = folder
        self.manifest = manifest


def first_line(error: BaseException) -> str:
    """What an error of a framework says first; they often go on for pages."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def file_sha256(path: Path) -> str:
    """Hex sha256 of the file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_artifact(folder: Path) -> Artifact:
    """Read the manifest and check each named file.

    Raises ArtifactError when the manifest is missing or wrong, a file is missing or not named
    (a model card, *.md, need not be), or its sha256 differs, or a folder is a link.
    """
    path = folder / MANIFEST
    try:
        manifest = Manifest.model_validate(json.loads(path.read_bytes()))
    except FileNotFoundError:
        raise ArtifactError(f"{folder} is no artifact: it has no {MANIFEST}") from None
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}") from None
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ArtifactError(f"{path} is not JSON: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "manifest"
        raise ArtifactError(f"{path} -> {where}: {first['msg']}") from None
    for name, expected in manifest.files.items():
        file = folder / name
        if not file.is_file():
            raise ArtifactError(f"{file} is missing, though {MANIFEST} names it")
        if file_sha256(file) != expected:
            raise ArtifactError(f"{file} does not have the sha256 that {MANIFEST} gives")
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if file.is_symlink() and file.is_dir():
            raise ArtifactError(f"{file} is a link to a folder, whose files nothing would check")
        named = name in manifest.files or name == MANIFEST
        if file.is_file() and not named and (file.suffix != ".md" or "/" in name):
            raise ArtifactError(f"{file} is not named in {MANIFEST}")
    return Artifact(folder, manifest)
