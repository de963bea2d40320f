"""A trained model to an artifact: a folder with a manifest, whole or not there at all."""

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bento.artifacts import (
    MANIFEST,
    Artifact,
    Kind,
    Manifest,
    file_sha256,
    first_line,
    read_artifact,
)
from bento.engines import Scores
from bento.engines.unknown_words import CountUnknown
from bento.train.drift_profile import answer_all, training_profile
from bento.train.errors import TrainError
from bento.train.evaluate import ArtifactAnswers
from nlpserve import __version__

TRIALS = ("a", "a " * 5_000)
"""Texts that a packaged model has to answer; the second is as long as the service takes one."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the packager says of the model; the rest is read from its files."""

    name: str
    version: str
    language: str
    licence: str
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A model's files, ready in the artifact's folder.

    `unknown` counts words that the model does not know; None when it cannot tell. `hints` are lines
    for the user.
    """

    kind: Kind
    labels: Sequence[str]
    unknown: CountUnknown | None
    max_tokens: int | None = None
    hints: Sequence[str] = ()


Prepare = Callable[[Path], Prepared]
"""Checks a model and writes its files into the folder it is given. Raises TrainError."""


def package(
    prepare: Prepare,
    facts: Facts,
    out: Path,
    texts: Sequence[str] = (),
    *,
    held_out: Scores | None = None,
) -> Prepared:
    """Make the artifact `out`, with the profile of `texts` if there are any.

    `held_out` are the profile's scores of the texts, [texts, labels], when the packaged model has
    seen them in training; else it is asked itself.
    Everything is written and tried in a folder beside `out`, which then takes its name. Raises
    TrainError when `out` is not empty or the facts are wrong, ArtifactError when the finished
    artifact does not load.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise TrainError(f"[--out] {out} is not empty")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as parent:
        draft = Path(parent) / "artifact"
        draft.mkdir()
        prepared = prepare(draft)
        manifest = make_manifest(draft, prepared, facts)
        write_manifest(draft, manifest)
        model = ArtifactAnswers(draft)
        try_out(model)
        if texts:
            scores = answer_all(texts, model) if held_out is None else held_out
            unknown = prepared.unknown(texts) if prepared.unknown else (0, 0)
            profile = training_profile(texts, model.labels, scores, unknown)
            write_manifest(draft, manifest.model_copy(update={"profile": profile}))
        if out.exists():
            out.rmdir()
        shutil.move(draft, out)
    return prepared


def try_out(model: ArtifactAnswers) -> None:
    """Answer a short text and one over every limit. Raises TrainError when the model does not."""
    for text in TRIALS:
        try:
            model.answer([text])
        except Exception as error:  # noqa: BLE001  each framework raises classes of its own
            raise TrainError(
                f"the packaged model fails on a text of {len(text)} characters: {first_line(error)}"
            ) from None


def make_manifest(folder: Path, prepared: Prepared, facts: Facts) -> Manifest:
    """The manifest of the files that lie in `folder`. Raises TrainError for a wrong fact."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    try:
        return Manifest(
            name=facts.name,
            version=facts.version,
            kind=prepared.kind,
            labels=list(prepared.labels),
            language=facts.language,
            files={path.relative_to(folder).as_posix(): file_sha256(path) for path in files},
            max_tokens=prepared.max_tokens,
            scores=dict(facts.scores),
            licence=facts.licence,
            created_by=f"nlpserve {__version__}",
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = " -> ".join(str(part) for part in ("manifest", *first["loc"]))
        raise TrainError(f"[{where}] {first['msg']}") from None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write it into the folder, what is not set left out."""
    text = json.dumps(manifest.model_dump(mode="json", exclude_none=True), indent=1)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def with_scores(folder: Path, scores: Mapping[str, float]) -> Artifact:
    """Set the evaluation scores of an artifact; its files and their digests stay as they are."""
    manifest = read_artifact(folder).manifest
    write_manifest(folder, manifest.model_copy(update={"scores": dict(scores)}))
    return read_artifact(folder)


def read_scores(path: Path) -> dict[str, float]:
    """Measures by name, as `evaluate --json` prints them. Raises TrainError."""
    try:
        return TypeAdapter(dict[str, float]).validate_json(path.read_bytes(), strict=True)
    except OSError as error:
        raise TrainError(f"[{path}] cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = " -> ".join(str(part) for part in (path.name, *first["loc"]))
        raise TrainError(f"[{where}] {first['msg']}") from None
