"""What goes into the image, and from which commit: one key says whether a build is needed."""

import datetime
import hashlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bento.image.engines import ImageError

ROOT: Final = Path(__file__).parents[2]
CONTAINERFILE: Final = ROOT / "bento/Containerfile"
IGNORE: Final = ROOT / ".dockerignore"
EVERYWHERE: Final = "**/"


@dataclass(frozen=True)
class Selection:
    """The build context, as .dockerignore selects it."""

    paths: tuple[str, ...]
    without: tuple[str, ...]
    names: tuple[str, ...]

    def files(self, root: Path) -> Iterator[Path]:
        """The files, relative to the root, sorted."""
        for path in self.paths:
            if (root / path).is_file():
                yield Path(path)
            for place, folders, files in os.walk(root / path):
                folders[:] = sorted(name for name in folders if name not in self.names)
                here = Path(place).relative_to(root)
                for name in sorted(files):
                    if not {*self.without} & {
                        str(p) for p in (here / name, *(here / name).parents)
                    }:
                        yield here / name


def selection(text: str) -> Selection:
    """Read the lines that .dockerignore uses: all of `*`, `!PATH`, `PATH` and `**/NAME`."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    if lines[:1] != ["*"] or any("*" in line.removeprefix(EVERYWHERE) for line in lines[1:]):
        raise ImageError(".dockerignore must begin with * and then name paths")
    rest = lines[1:]
    return Selection(
        paths=tuple(sorted(line[1:] for line in rest if line.startswith("!"))),
        without=tuple(line for line in rest if not line.startswith(("!", EVERYWHERE))),
        names=tuple(line.removeprefix(EVERYWHERE) for line in rest if line.startswith(EVERYWHERE)),
    )


@dataclass(frozen=True)
class Revision:
    """The last commit that changed what goes into the image, and its time."""

    name: str
    time: str


def revision(
    chosen: Selection, containerfile: Path = CONTAINERFILE, ignore: Path = IGNORE
) -> Revision | None:
    """None outside a git repository. What is not committed makes it NAME-dirty."""
    made_of = [*chosen.paths, *(str(path.relative_to(ROOT)) for path in (containerfile, ignore))]
    paths = [*made_of, *(f":(exclude){path}" for path in chosen.without if path not in made_of)]
    last = _git("log", "-1", "--format=%H %ct", "--", *paths)
    if not last:
        return None
    name, seconds = last.split()
    dirty = "-dirty" if _git("status", "--porcelain", "--", *paths) else ""
    time = datetime.datetime.fromtimestamp(int(seconds), datetime.UTC)
    return Revision(name + dirty, time.strftime("%Y-%m-%dT%H:%M:%SZ"))


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def digest(root: Path, files: Iterator[Path], *words: str) -> str:
    """One key over names and content of the files, and over the words."""
    key = hashlib.sha256("\0".join(words).encode())
    for file in files:
        content = hashlib.sha256((root / file).read_bytes()).hexdigest()
        key.update(f"\n{content}  {file.as_posix()}".encode())
    return key.hexdigest()
