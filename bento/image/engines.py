"""Docker, podman or buildah, whichever works here, behind the few commands that are needed."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

NAMES: Final = ("docker", "podman", "buildah")
STORAGE: Final = {"docker": ((),), "podman": ((),), "buildah": ((), ("--storage-driver", "vfs"))}
"""Options to try: vfs is slow, and works where overlay mounts do not."""
BUILDERS: Final = {"docker": ("buildx", "version")}
"""What shows that it can build here: the builder that knows secrets is a plugin of docker's own."""
DEBIAN_PACKAGES: Final = ("buildah", "debootstrap")


class ImageError(Exception):
    """The image cannot be made; the message is one line that says why."""


@dataclass(frozen=True)
class Recipe:
    """What to build, and under which name."""

    image: str
    context: Path
    containerfile: Path
    arguments: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Path] = field(default_factory=dict)
    ignore: Path | None = None
    """In place of .dockerignore; docker finds it by itself, beside the Containerfile."""


@dataclass(frozen=True)
class Engine:
    """One of them; `command` is how it is called."""

    name: str
    command: tuple[str, ...]

    def build_command(self, recipe: Recipe) -> list[str]:
        """What builds the recipe. OCI annotations are docker's labels only: it keeps no others."""
        options = ["--file", str(recipe.containerfile), "--tag", recipe.image]
        if self.name == "buildah":  # no container runtime is needed to run pip in a folder
            options += ["--layers", "--isolation", "chroot", "--network", "host"]
        if recipe.ignore is not None and self.name != "docker":
            options += ["--ignorefile", str(recipe.ignore)]
        for name, value in recipe.arguments.items():
            options += ["--build-arg", f"{name}={value}"]
        for name, value in recipe.labels.items():
            options += ["--label", f"{name}={value}"]
            if self.name != "docker" and name.startswith("org.opencontainers."):
                options += ["--annotation", f"{name}={value}"]
        for name, path in recipe.secrets.items():
            options += ["--secret", f"id={name},src={path}"]
        return [*self.command, "build", *options, str(recipe.context)]

    def save_command(self, image: str, archive: Path) -> list[str]:
        """What writes the image to an archive."""
        if self.name == "buildah":
            target = f"oci-archive:{archive}:{image}"
            return [*self.command, "push", "--quiet", image, target]
        form = ["--format", "oci-archive"] if self.name == "podman" else []
        return [*self.command, "save", *form, "--output", str(archive), image]

    def inspect_command(self, image: str) -> list[str]:
        """What prints all about an image as JSON: buildah's templates cannot."""
        if self.name == "buildah":
            return [*self.command, "inspect", "--type", "image", image]
        return [*self.command, "image", "inspect", image]

    def build(self, recipe: Recipe) -> None:
        """Raises ImageError."""
        run(self.build_command(recipe))

    def save(self, image: str, archive: Path) -> None:
        """Replace the archive in one step. Raises ImageError."""
        archive.parent.mkdir(parents=True, exist_ok=True)
        unfinished = archive.with_name(f".{archive.name}.{os.getpid()}")
        try:
            run(self.save_command(image, unfinished))
            unfinished.replace(archive)
        finally:
            unfinished.unlink(missing_ok=True)

    def labels(self, image: str) -> dict[str, str] | None:
        """The image's labels; None when there is no such image in its store."""
        shown = subprocess.run(
            self.inspect_command(image), check=False, capture_output=True, text=True
        )
        if shown.returncode:
            return None
        found = json.loads(shown.stdout)
        config = found["OCIv1"]["config"] if self.name == "buildah" else found[0]["Config"]
        return config.get("Labels") or {}

    def pull(self, image: str, *, fresh: bool = False) -> bool:
        """Whether the image is in its store, fetched if need be; fresh: fetched in any case."""
        if not fresh and self.labels(image) is not None:
            return True
        return works([*self.command, "pull", image])


def run(command: Sequence[str]) -> None:
    """Run it, what it prints on standard error. Raises ImageError."""
    environment = {**os.environ, "DOCKER_BUILDKIT": "1"}  # the builder that knows secrets
    done = subprocess.run(command, check=False, stdout=sys.stderr, env=environment)
    if done.returncode:
        raise ImageError(f"{' '.join(command[:2])} failed with exit code {done.returncode}")


def works(command: Sequence[str]) -> bool:
    """Whether the command is there and succeeds; its output is of no interest."""
    if shutil.which(command[0]) is None:
        return False
    silent = subprocess.DEVNULL
    return subprocess.run(command, check=False, stdout=silent, stderr=silent).returncode == 0


def working(names: Sequence[str]) -> Engine | None:
    """The first of these engines that answers: a docker client without an engine does not."""
    for name in names:
        if name in BUILDERS and not works([name, *BUILDERS[name]]):
            continue
        for options in STORAGE[name]:
            if works([name, *options, "info"]):
                return Engine(name, (name, *options))
    return None


def choose(name: str = "") -> Engine:
    """The named engine, or whichever works, installed where that can be done as for Chromium.

    Raises ImageError that says what to install.
    """
    if name and name not in NAMES:
        raise ImageError(f"there is no engine {name!r}; there are {', '.join(NAMES)}")
    found = working([name] if name else NAMES)
    if found is None and not name and os.getuid() == 0 and shutil.which("apt-get"):
        install(DEBIAN_PACKAGES)
        found = working(NAMES)
    if found is None:
        needs = " (it needs buildx)" if name in BUILDERS else ""
        raise ImageError(
            f"{name} does not work here{needs}" if name else
            "neither docker (with buildx), podman nor buildah works here: install one of them"
            " (on Debian: apt-get install buildah debootstrap)"
        )  # fmt: skip
    return found


def install(packages: Sequence[str]) -> None:
    """Install Debian packages, as root. Raises ImageError."""
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    run(["apt-get", "-q", "update"])
    run(["apt-get", "-q", "install", "-y", "--no-install-recommends", *packages])
