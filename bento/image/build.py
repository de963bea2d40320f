"""Builds the service's image, and a user's artifact as an image of its own."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bento.artifacts import MANIFEST, read_artifact
from bento.image import archive as archives
from bento.image.base import cache_folder, debian_base
from bento.image.engines import Engine, ImageError, Recipe
from bento.image.inputs import CONTAINERFILE, IGNORE, ROOT, digest, revision, selection
from bento.image.lending import lend
from bento.image.progress import say
from nlpserve import __version__
from nlpserve.locks import locked

NAME: Final = "localhost/nlpserve"
PUBLIC_BASE: Final = "python:3.11-slim-bookworm"
"""bento/Containerfile's default."""
KEY: Final = "nlpserve.inputs"
"""The label that says what an image was made of."""
OCI: Final = "org.opencontainers.image."
MODELS: Final = ROOT / "bento/models"
SPDX: Final = {"LGPL-LR": "LGPLLR"}
"""SPDX writes this licence without the hyphen."""
BILL: Final = "app/sbom.cdx.json"
MODEL_CONTAINERFILE: Final = "FROM scratch\nCOPY artifact/ /\n"
LONGEST_BUILD: Final = 3600.0
"""Seconds that a build waits for another."""
TIME: Final = 315532800
"""Of every file of a model's image: the same artifact gives the same layer. As in stage.py."""


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One build at a time, for all clones: they share the engine's store and the cache.

    Raises ImageError when another build does not end.
    """
    file = cache_folder() / "image.lock"
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(
                locked(file, LONGEST_BUILD, lambda: say("waiting for another build to end"))
            )
        except TimeoutError as error:
            raise ImageError(f"another build did not end: {error}") from None
        yield


def licences() -> str:
    """An SPDX expression of the code's licence and the shipped models'."""
    found = {"Apache-2.0"}
    for folder in sorted(MODELS.iterdir()):
        for part in read_artifact(folder).manifest.licence.split(" AND "):
            found.add(SPDX.get(part, part))
    return " AND ".join(sorted(found))


def labels(key: str, made_of: str, version: str, licence: str) -> dict[str, str]:
    """OCI's words for an image."""
    return {
        OCI + "title": made_of,
        OCI + "version": version,
        OCI + "licenses": licence,
        KEY: key,
    }


def base_image(engine: Engine, wanted: str, *, fresh: bool) -> str:
    """The base to build on: the one asked for, else the public one, else Debian's own Python."""
    if wanted:
        if fresh and not engine.pull(wanted, fresh=True):
            say(f"{wanted} cannot be pulled: building on the one that is here")
        return wanted
    if engine.pull(PUBLIC_BASE, fresh=fresh):
        return PUBLIC_BASE
    say(f"{PUBLIC_BASE} cannot be pulled: building on Debian's own Python, by debootstrap")
    return debian_base(engine, fresh=fresh)


def ensure(engine: Engine, recipe: Recipe, archive: Path, *, fresh: bool = False) -> None:
    """Build the image and write its archive, each unless it is there already. Raises ImageError."""
    key = recipe.labels[KEY]
    if fresh or (engine.labels(recipe.image) or {}).get(KEY) != key:
        engine.build(recipe)
        engine.save(recipe.image, archive)
    elif archives.labels(archive).get(KEY) != key:
        engine.save(recipe.image, archive)


@dataclass(frozen=True)
class Product:
    """An image that a Containerfile makes of this repository."""

    image: str
    title: str
    description: str
    containerfile: Path
    ignore: Path


SERVICE: Final = Product(
    f"{NAME}:{__version__}", "nlpserve", "Text classifiers over HTTP", CONTAINERFILE, IGNORE
)
LOAD: Final = Product(
    f"{NAME}-load:{__version__}",
    "nlpserve load",
    "Load tests of text classifiers",
    ROOT / "loadtest/Containerfile",
    ROOT / "loadtest/Containerfile.dockerignore",
)


def product_image(
    engine: Engine, product: Product, archive: Path, base: str, licence: str, *, fresh: bool
) -> None:
    """Build it, and write its archive. Raises ImageError."""
    chosen = selection(product.ignore.read_text(encoding="utf-8"))
    commit = revision(chosen, product.containerfile, product.ignore)
    made_by = (product.containerfile.relative_to(ROOT), product.ignore.relative_to(ROOT))
    files = (*made_by, *chosen.files(ROOT))
    key = digest(ROOT, iter(files), base, commit.name if commit else "")
    given = labels(key, product.title, __version__, licence)
    given[OCI + "description"] = product.description
    if commit is not None:
        given[OCI + "revision"] = commit.name
        given[OCI + "created"] = commit.time
    with alone(), tempfile.TemporaryDirectory(prefix="nlpserve-image-") as folder:
        arguments, secrets = {}, {}
        if fresh or (engine.labels(product.image) or {}).get(KEY) != key:
            arguments["BASE"] = base_image(engine, base, fresh=fresh)
            secrets = lend(Path(folder))
        ignore = None if product.ignore == IGNORE else product.ignore
        recipe = Recipe(
            product.image, ROOT, product.containerfile, arguments, given, secrets, ignore
        )
        ensure(engine, recipe, archive, fresh=fresh)


def service_image(engine: Engine, archive: Path, base: str, *, fresh: bool = False) -> str:
    """Build the service's image; its bill of materials comes to lie beside the archive.

    Returns the image's name. Raises ImageError and ArtifactError.
    """
    licence = licences()  # reads every artifact: what is not whole goes into no image
    product_image(engine, SERVICE, archive, base, licence, fresh=fresh)
    bill = archive.with_suffix(".cdx.json")
    bill.write_bytes(archives.read_file(archive, BILL))
    return SERVICE.image


def load_image(engine: Engine, archive: Path, base: str, *, fresh: bool = False) -> str:
    """Build the image that load tests run; returns its name. Raises ImageError."""
    product_image(engine, LOAD, archive, base, "Apache-2.0", fresh=fresh)
    return LOAD.image


def model_image(engine: Engine, artifact: Path, archive: Path | None, out: Path) -> Path:
    """Build an image that holds an artifact's files at / and nothing else; returns the archive.

    Raises ImageError and ArtifactError.
    """
    manifest = read_artifact(artifact).manifest
    tag = manifest.version.replace("+", "_")  # a tag cannot hold +
    image = f"{NAME}-model-{manifest.name}:{tag}"
    files = sorted(path.relative_to(artifact) for path in artifact.rglob("*") if path.is_file())
    key = digest(artifact, iter(files), image)
    given = labels(key, f"nlpserve model {manifest.name}", manifest.version, manifest.licence)
    given[OCI + "description"] = f"{manifest.kind}, {manifest.language}, see {MANIFEST}"
    archive = archive or out / f"nlpserve-model-{manifest.name}-{tag}.tar"
    with alone(), tempfile.TemporaryDirectory(prefix="nlpserve-model-") as folder:
        context = Path(folder)
        copy_settled(artifact, files, context / "artifact")
        containerfile = context / "Containerfile"
        containerfile.write_text(MODEL_CONTAINERFILE, encoding="utf-8")
        ensure(engine, Recipe(image, context, containerfile, labels=given), archive)
    say(f"built {image}")
    return archive


def copy_settled(source: Path, files: list[Path], target: Path) -> None:
    """Copy the files, readable for any user, with one time for all."""
    for file in files:
        path = target / file
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / file, path)
        path.chmod(0o644)
        os.utime(path, (TIME, TIME))
    for folder in sorted((p for p in target.rglob("*") if p.is_dir()), reverse=True):
        folder.chmod(0o755)
        os.utime(folder, (TIME, TIME))
