"""Runs inside the build: puts what goes into one layer under one folder, alike on every machine.

`python stage.py TARGET environment`, `code`, `model NAME` or `bill`; what is staged comes to lie
under TARGET as it will under /. A layer's digest then depends on its content alone: times and modes
are set, and bytecode does not hold its source's time. So a rebuild elsewhere ships nothing anew.
"""

import importlib.util
import os
import py_compile
import shutil
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

APPLICATION = Path("/app")
ENVIRONMENT = APPLICATION / "environment"
MODELS = APPLICATION / "bento/models"
NOT_SHIPPED = ("bento/image", "bento/models")
UNUSED_LIBRARY = {"idlelib", "lib2to3", "site-packages", "dist-packages", "test", "tkinter"}
TIME = 315532800
"""1980-01-01, the first that every archive format can hold."""


def move(source: Path, target: Path) -> None:
    """Move what is at `source` to where it lies under `target`."""
    destination = target / source.relative_to("/")
    destination.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(source, destination)


def compile_below(folder: Path, sees: Path, target: Path) -> None:
    """Write the bytecode of the modules below `folder` to where it belongs under `target`.

    `sees` is the folder's path in the image. Raises PyCompileError for a module of ours, and leaves
    one of a library alone: some ship templates and syntax of other versions.
    """
    for source in sources(folder):
        seen = sees / source.relative_to(folder)
        cached = target / Path(importlib.util.cache_from_source(str(seen))).relative_to("/")
        try:
            py_compile.compile(
                str(source),
                cfile=str(cached),
                dfile=str(seen),
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
        except py_compile.PyCompileError:
            if ENVIRONMENT not in seen.parents:
                raise


def sources(folder: Path) -> Iterator[Path]:
    """Python files below the folder, in a fixed order."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(set(folders) - UNUSED_LIBRARY if place == str(folder) else folders)
        yield from (Path(place, name) for name in sorted(files) if name.endswith(".py"))


def settle(target: Path) -> None:
    """Give everything below `target` the same time, and modes that any user can read."""
    for place, folders, files in os.walk(target, topdown=False):
        for path in (Path(place, name) for name in (*files, *folders)):
            if not path.is_symlink():
                executable = path.is_dir() or path.stat().st_mode & 0o100
                path.chmod(0o755 if executable else 0o644)
            os.utime(path, (TIME, TIME), follow_symlinks=False)
    target.chmod(0o755)
    os.utime(target, (TIME, TIME))


def stage_environment(target: Path) -> None:
    """The virtual environment with its bytecode, and the base's own library's where it has none."""
    move(ENVIRONMENT, target)
    staged = target / ENVIRONMENT.relative_to("/")
    compile_below(staged, ENVIRONMENT, target)
    library = Path(sysconfig.get_path("stdlib"))
    if not Path(importlib.util.cache_from_source(str(library / "asyncio/events.py"))).exists():
        compile_below(library, library, target)


def stage_code(target: Path) -> None:
    """The modules with their bytecode, without the models."""
    for name in NOT_SHIPPED:
        if (APPLICATION / name).exists():
            shutil.move(APPLICATION / name, f"/build/{name.replace('/', '-')}")
    for path in sorted(APPLICATION.iterdir()):
        folder = path.is_dir()
        move(path, target)
        if folder:
            compile_below(target / path.relative_to("/"), path, target)


def stage_model(target: Path, name: str) -> None:
    """One artifact, whose code stage has run."""
    shutil.copytree(f"/build/bento-models/{name}", target / MODELS.relative_to("/") / name)


def stage_bill(target: Path) -> None:
    """The bill of materials."""
    move(APPLICATION / "sbom.cdx.json", target)


STEPS: dict[str, Callable[..., None]] = {
    "environment": stage_environment,
    "code": stage_code,
    "model": stage_model,
    "bill": stage_bill,
}


def main(target: str, step: str, *names: str) -> None:
    """Stage it, and settle what was staged."""
    folder = Path(target)
    folder.mkdir(parents=True)
    STEPS[step](folder, *names)
    settle(folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
