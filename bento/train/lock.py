"""What was done, with digests of all that went in and came out: the steps' lock file."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bento.artifacts import file_sha256
from bento.train.errors import TrainError

LOCK = "steps.lock.json"
Scalar = str | int | float | bool | None
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Record(BaseModel):
    """One step as it was last done."""

    model_config = ConfigDict(extra="forbid")

    seed: int
    settings: dict[str, Scalar]
    code: dict[str, Digest]
    inputs: dict[str, Digest]
    outputs: dict[str, Digest]
    seconds: float


class Lock(BaseModel):
    """The lock file."""

    model_config = ConfigDict(extra="forbid")

    schema_version: Literal[1] = 1
    steps: dict[str, Record] = Field(default_factory=dict)


def path_sha256(path: Path) -> str:
    """Digest of a file, or of a folder's files with their relative paths.

    Raises FileNotFoundError when there is neither.
    """
    if not path.is_dir():
        return file_sha256(path)
    lines = [
        f"{file_sha256(file)}  {file.relative_to(path).as_posix()}\n"
        for file in sorted(path.rglob("*"))
        if file.is_file()
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def why_run(record: Record | None, wanted: Record, outputs: Mapping[str, str | None]) -> str | None:
    """The first reason why a step must run, or None when it is done.

    `wanted` is the record that the step would leave, its outputs unset; `outputs` are the digests
    of what lies there now, None for what is missing.
    """
    if record is None:
        return "never done"
    if record.seed != wanted.seed:
        return "the seed changed"
    for kind, before, now in (
        ("setting", record.settings, wanted.settings),
        ("code", record.code, wanted.code),
        ("input", record.inputs, wanted.inputs),
    ):
        for name in sorted(before.keys() | now.keys()):
            if name not in before or name not in now or before[name] != now[name]:
                return f"{kind} {name} changed"
    for name in sorted(record.outputs.keys() | outputs.keys()):
        if outputs.get(name) is None:
            return f"output {name} is missing"
        if record.outputs.get(name) != outputs[name]:
            return f"output {name} was changed by hand"
    return None


def read_lock(path: Path) -> Lock:
    """The lock, empty when there is none. Raises TrainError when it cannot be read."""
    try:
        return Lock.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Lock()
    except ValidationError as error:
        first = error.errors()[0]
        where = " -> ".join(str(part) for part in (path.name, *first["loc"]))
        raise TrainError(f"[{where}] {first['msg']}; delete {path} to run all again") from None


def write_lock(path: Path, lock: Lock) -> None:
    """Replace the lock file in one go."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.write_text(json.dumps(lock.model_dump(mode="json"), indent=1) + "\n", encoding="utf-8")
    draft.replace(path)
