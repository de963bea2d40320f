"""The image, built for real; without a working engine every test here fails.

BASE and ENGINE name another base or engine, as for `make image`.
"""

import itertools
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bento.image.archive import configuration, contents
from bento.image.build import service_image
from bento.image.engines import Engine, choose
from tests.image.harness import Container


@dataclass(frozen=True)
class Image:
    name: str
    archive: Path
    engine: Engine
    base: str

    @property
    def config(self):
        return configuration(self.archive)["config"]

    @property
    def labels(self):
        return self.config["Labels"]


@pytest.fixture(scope="session")
def engine() -> Engine:
    return choose(os.environ.get("ENGINE", ""))


@pytest.fixture(scope="session")
def image(engine, tmp_path_factory) -> Image:
    archive = tmp_path_factory.mktemp("image") / "nlpserve.tar"
    base = os.environ.get("BASE", "")
    return Image(service_image(engine, archive, base), archive, engine, base)


@pytest.fixture(scope="session")
def files(image) -> dict[str, tarfile.TarInfo]:
    """Every file of the image by its path without the leading slash."""
    layers = contents(image.archive)
    return {member.name.removeprefix("./"): member for _, layer in layers for member in layer}


@pytest.fixture(scope="session")
def start(image, tmp_path_factory):
    """Makes containers of the image, to be used as contexts."""
    folder = tmp_path_factory.mktemp("containers")
    numbers = itertools.count()

    def make(volume=None, **settings) -> Container:
        log = folder / f"{next(numbers)}.log"
        return Container(image.engine, image.name, image.archive, log, volume, **settings)

    return make


@pytest.fixture(scope="session")
def running(start) -> Iterator[Container]:
    """Default settings, both models."""
    with start() as container:
        yield container.ready()
