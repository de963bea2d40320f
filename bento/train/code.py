"""Which sources a step's result depends on: its modules, and what of ours they import."""

import ast
import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path

from bento.artifacts import file_sha256
from bento.train.errors import TrainError

OURS = "bento"


def code_digests(modules: Sequence[str]) -> dict[str, str]:
    """The sha256 of each source file that the modules reach, by dotted name; nothing is imported.

    A package among `modules` stands for all its modules. Raises TrainError when one is not found.
    """
    sources: dict[str, Path] = {}
    waiting = [name for module in modules for name in _declared(module)]
    while waiting:
        name = waiting.pop()
        if name in sources or (path := _source(name)) is None:
            continue
        sources[name] = path
        waiting += _imported(path)
    return {name: file_sha256(path) for name, path in sorted(sources.items())}


def _declared(module: str) -> Iterator[str]:
    path = _source(module)
    if path is None:
        raise TrainError(f"[steps -> modules] there is no module {module}")
    yield module
    if path.name == "__init__.py":
        for file in path.parent.rglob("*.py"):
            parts = file.relative_to(path.parent).with_suffix("").parts
            yield ".".join([module, *(part for part in parts if part != "__init__")])


def _imported(path: Path) -> Iterator[str]:
    """Names of ours that the file imports anywhere; of `from a import b` both a and a.b."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        yield from (name for name in names if name.startswith(f"{OURS}."))


def _source(module: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:  # a name within a module
        return None
    return Path(spec.origin) if spec and spec.origin else None
