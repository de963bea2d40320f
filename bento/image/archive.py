"""Reads an image's archive, OCI's or docker's: labels, sizes of its layers, one of its files."""

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

BLOCK: Final = 4096
"""Files take whole blocks on disk, and that is what a node has to have room for."""
LARGEST_BYTES: Final = 700_000_000
"""Of our layers together, unpacked."""


@dataclass(frozen=True)
class Layer:
    """One layer. `bytes` are those it takes unpacked; the base's layers have no other name."""

    name: str
    digest: str
    bytes: int


def _json(archive: tarfile.TarFile, name: str) -> Any:  # noqa: ANN401  whatever is in it
    file = archive.extractfile(name)
    if file is None:
        raise KeyError(name)
    return json.load(file)


def _blob(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/")


def _parts(archive: tarfile.TarFile) -> tuple[dict[str, Any], list[str]]:
    """The image's configuration, and the names of its layers in the archive."""
    if "manifest.json" in archive.getnames():  # docker's own, which new versions write beside OCI's
        (image,) = _json(archive, "manifest.json")
        return _json(archive, image["Config"]), image["Layers"]
    (entry,) = _json(archive, "index.json")["manifests"]
    manifest = _json(archive, _blob(entry["digest"]))
    config = _json(archive, _blob(manifest["config"]["digest"]))
    return config, [_blob(layer["digest"]) for layer in manifest["layers"]]


def configuration(path: Path) -> dict[str, Any]:
    """The image's configuration: `config`, `rootfs`, `history`."""
    with tarfile.open(path) as archive:
        return _parts(archive)[0]


def annotations(path: Path) -> dict[str, str]:
    """The annotations of an OCI archive's manifest."""
    with tarfile.open(path) as archive:
        (entry,) = _json(archive, "index.json")["manifests"]
        found: dict[str, str] = _json(archive, _blob(entry["digest"])).get("annotations", {})
        return found


def labels(path: Path) -> dict[str, str]:
    """The image's labels; none when there is no readable archive."""
    try:
        found: dict[str, str] = configuration(path)["config"].get("Labels") or {}
    except (OSError, tarfile.TarError, KeyError, ValueError):
        return {}
    return found


def contents(path: Path) -> Iterator[tuple[str, tarfile.TarFile]]:
    """Each layer's digest and its files, the lowest first; the files can be read until the next."""
    with tarfile.open(path) as archive:
        config, names = _parts(archive)
        for digest, name in zip(config["rootfs"]["diff_ids"], names, strict=True):
            with tarfile.open(fileobj=archive.extractfile(name)) as layer:
                yield digest, layer


def layers(path: Path) -> list[Layer]:
    """All layers, the lowest first, named after what they bring."""
    found = []
    for digest, layer in contents(path):
        members = layer.getmembers()
        held = sum(-(-member.size // BLOCK) * BLOCK for member in members if member.isfile())
        found.append(Layer(_name({member.name for member in members}), digest, held))
    return found


def _name(paths: set[str]) -> str:
    tops = {path.removeprefix("./") for path in paths}
    for folder, name in (
        ("app/environment", "environment"), ("app/nlpserve", "code"), ("app/sbom.cdx.json", "bill"),
    ):  # fmt: skip
        if folder in tops:
            return name
    models = {path.split("/")[3] for path in tops if path.startswith("app/bento/models/")}
    return "model " + ", ".join(sorted(models)) if models else "base"


def read_file(path: Path, name: str) -> bytes:
    """A file of the image, from the uppermost layer that has it. Raises KeyError."""
    with tarfile.open(path) as archive:
        for layer_name in reversed(_parts(archive)[1]):
            with tarfile.open(fileobj=archive.extractfile(layer_name)) as layer:
                if name in layer.getnames():
                    file = layer.extractfile(name)
                    if file is not None:
                        return file.read()
    raise KeyError(name)


def table(found: list[Layer]) -> str:
    """Sizes of the layers in Markdown, ours added up."""
    rows = [(layer.name, layer.bytes) for layer in found]
    ours = sum(size for name, size in rows if name != "base")
    rows.append((f"without the base (at most {LARGEST_BYTES / 1e6:.0f})", ours))
    lines = [f"| {name} | {size / 1e6:.1f} |" for name, size in rows]
    return "\n".join(["| layer | MB unpacked |", "| --- | --- |", *lines])
