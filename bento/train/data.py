"""The data folder: filled from the public sources, or a local copy that is only checked."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import requests
from tqdm import tqdm

from bento.artifacts import file_sha256
from bento.train.errors import LabelledFileError, TrainError, UnreachableError
from bento.train.labelled import read_labelled, read_records
from bento.train.sessions import CONNECT_SECONDS, READ_SECONDS, cause, retrying_session
from bento.train.sources import RAW, SOURCES, Source

MAX_BYTES = 64 * 2**20
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Checked:
    """A file of the data folder that can be used. `published`: it is the whole published file."""

    source: Source
    path: Path
    rows: int
    sha256: str
    published: bool
    downloaded: bool


def get_data(
    folder: Path,
    *,
    download: bool,
    base_url: str = RAW,
    sources: Sequence[Source] = SOURCES,
    backoff: float = 0.5,
) -> Iterator[Checked]:
    """Check each file of `folder`; with `download`, fetch those that are not there.

    Raises TrainError for a file that is missing, damaged or too short, UnreachableError when a
    source does not answer.
    """
    if not folder.is_dir() and not download:
        raise TrainError(f"[{folder}] there is no such folder")
    with retrying_session((429, 500, 502, 503, 504), backoff=backoff) as session:
        for source in sources:
            path = folder / source.name
            missing = not path.exists()
            if missing and download:
                _fetch(session, base_url.rstrip("/") + source.url_path, path, source)
            yield check_file(path, source, downloaded=missing)


def check_file(path: Path, source: Source, *, downloaded: bool = False) -> Checked:
    """Read the whole file once, as its users will. Raises TrainError for what is wrong in it."""
    where = f"[{source.name}]"
    if not path.is_file():
        raise TrainError(f"{where} is missing in {path.parent}")
    try:
        rows = _count_rows(path, Path(source.name).name)
        digest = file_sha256(path)
    except (OSError, UnicodeDecodeError, LabelledFileError) as error:
        raise TrainError(f"{where} {error}") from None
    if rows > source.rows or (rows < source.rows and not source.part_is_enough):
        raise TrainError(f"{where} has {rows} rows, not {source.rows}")
    published = rows == source.rows
    if published and source.sha256 not in (None, digest):
        raise TrainError(f"{where} has sha256 {digest}, not the published {source.sha256}")
    return Checked(source, path, rows, digest, published=published, downloaded=downloaded)


def _count_rows(path: Path, name: str) -> int:
    if path.suffix == ".txt":
        return len(path.read_text(encoding="utf-8").splitlines())
    if name == "pretrained_predictions.json":
        return len(read_records(path.read_text(encoding="utf-8"), path))
    return len(read_labelled(path))


def _fetch(session: requests.Session, url: str, path: Path, source: Source) -> None:
    """Download to a temporary file beside `path`, check it, then give it its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=path.suffix)
    os.close(handle)
    draft = Path(name)
    try:
        _download(session, url, draft, source.name)
        digest = file_sha256(draft)
        if source.sha256 not in (None, digest):
            raise TrainError(f"[{source.name}] {url} has sha256 {digest}, not {source.sha256}")
        check_file(draft, source)
        draft.chmod(0o644)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _download(session: requests.Session, url: str, draft: Path, name: str) -> None:
    try:
        with session.get(url, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)) as answer:
            if answer.status_code != 200:
                raise UnreachableError(f"[{name}] {url} answered {answer.status_code}")
            expected = int(answer.headers.get("content-length", 0)) or None
            got = 0
            with (
                draft.open("wb") as file,
                tqdm(
                    total=expected, desc=name, unit="B", unit_scale=True, delay=2, disable=None
                ) as bar,
            ):
                for chunk in answer.iter_content(_CHUNK):
                    got += len(chunk)
                    if got > MAX_BYTES:
                        raise TrainError(f"[{name}] {url} is larger than {MAX_BYTES} bytes")
                    file.write(chunk)
                    bar.update(len(chunk))
    except requests.RequestException as error:
        raise UnreachableError(f"[{name}] {url} cannot be fetched: {cause(error)}") from None
