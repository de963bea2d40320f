"""A base made by debootstrap, for machines that reach a Debian mirror and no image registry.

The mirror is the machine's own, read from apt; the base holds no trace of it. It is kept in the
cache, keyed by what it is made of: this file, the suites, and the main suite's release file as apt
last saw it. So a point release makes a new one; between two, FRESH=1 brings the updates.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bento.image.engines import Engine, ImageError, Recipe, install
from bento.image.progress import run_quietly, say

PACKAGES: Final = ("ca-certificates", "python3", "python3-venv")
IMAGE: Final = "localhost/nlpserve-base"
CONTAINERFILE: Final = 'FROM scratch\nADD base.tar /\nCMD ["python3"]\n'
TARGETS: Final = "$(LABEL)|$(CODENAME)|$(COMPONENT)|$(REPO_URI)"
LISTS: Final = Path("/var/lib/apt/lists")
TRACES: Final = (
    "etc/apt/sources.list", "etc/apt/sources.list.d/machine.list", "etc/hostname", "etc/machine-id",
    "etc/resolv.conf", "var/cache/apt", "var/cache/ldconfig", "var/lib/apt/lists", "var/log",
)  # fmt: skip
"""What tells of this machine or of this moment."""
LEFT_EMPTY: Final = ("var/cache/apt/archives/partial", "var/lib/apt/lists/partial", "var/log/apt")


@dataclass(frozen=True)
class Sources:
    """Debian's suites as this machine's apt knows them."""

    suite: str
    mirror: str
    lines: tuple[str, ...]


def cache_folder() -> Path:
    """Where things are kept that clones share."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nlpserve"


def read_sources(listed: str) -> Sources:
    """What `apt-get indextargets --format TARGETS` prints. Raises ImageError."""
    rows = sorted({tuple(line.split("|")) for line in listed.splitlines()})
    main = [row for row in rows if row[0] == "Debian" and "-" not in row[1] and row[2] == "main"]
    if not main:
        raise ImageError("apt knows no Debian mirror here: name a base image with BASE=")
    suite, mirror = main[0][1], main[0][3]
    wanted = {suite, f"{suite}-updates", f"{suite}-security"}
    lines = tuple(
        f"deb {row[3]} {row[1]} main"
        for row in rows
        if row[0] in ("Debian", "Debian-Security") and row[1] in wanted and row[2] == "main"
    )
    return Sources(suite, mirror, lines)


def sources() -> Sources:
    """Those of this machine. Raises ImageError where there is none."""
    if os.getuid() != 0 or shutil.which("apt-get") is None:
        raise ImageError(
            "the base image cannot be pulled, and only root on Debian can make one:"
            " name another with BASE="
        )
    if shutil.which("debootstrap") is None or not any(LISTS.glob("*_InRelease")):
        install(("debootstrap",))
    command = ["apt-get", "indextargets", "--format", TARGETS, "Created-By: Packages"]
    return read_sources(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def make(found: Sources, archive: Path) -> None:
    """Debian and its updates, without a trace of this machine. Raises ImageError."""
    say(f"making a base of Debian {found.suite} and its updates: a minute or two, once")
    with tempfile.TemporaryDirectory(prefix="nlpserve-base-", dir=archive.parent) as folder:
        root, log = Path(folder) / "root", Path(folder) / "log"
        words = ["--variant=minbase", "--include=" + ",".join(PACKAGES), found.suite]
        run_quietly(["debootstrap", *words, str(root), found.mirror], log)
        update(root, found, log)
        clean(root)
        unfinished = Path(folder) / archive.name
        words = ["-C", str(root), "--numeric-owner", "--sort=name", "-cf", str(unfinished), "."]
        run_quietly(["tar", *words], log)
        unfinished.replace(archive)


def update(root: Path, found: Sources, log: Path) -> None:
    """Install the updates, with apt of the base and certificates of this machine."""
    lists = root / "etc/apt/sources.list.d"
    (root / "etc/apt/sources.list").unlink(missing_ok=True)
    (lists / "machine.list").write_text("\n".join(found.lines) + "\n", encoding="utf-8")
    bundle = Path(os.environ.get("SSL_CERT_FILE", ""))
    trusted = root / "tmp/certificates.pem"
    apt = ["chroot", str(root), "apt-get", "-q"]
    if bundle.is_file():
        shutil.copy(bundle, trusted)
        apt += ["-o", f"Acquire::https::CAInfo=/{trusted.relative_to(root)}"]
    run_quietly([*apt, "update"], log)
    upgrade = ["env", "DEBIAN_FRONTEND=noninteractive", *apt, "-y", "dist-upgrade"]
    run_quietly(upgrade, log)
    trusted.unlink(missing_ok=True)


def clean(root: Path) -> None:
    """Remove the traces; what programs expect to be there is there, empty."""
    for name in TRACES:
        path = root / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for name in LEFT_EMPTY:
        (root / name).mkdir(parents=True)


def key(found: Sources) -> str:
    """What names this base."""
    parts = [Path(__file__).read_bytes(), "\n".join((platform.machine(), *found.lines)).encode()]
    parts += [path.read_bytes() for path in sorted(LISTS.glob(f"*_dists_{found.suite}_InRelease"))]
    return f"{found.suite}-{hashlib.sha256(b''.join(parts)).hexdigest()[:12]}"


def debian_base(engine: Engine, *, fresh: bool = False) -> str:
    """The base image's name in the engine's store, made if need be. Raises ImageError."""
    found = sources()
    image = f"{IMAGE}:{key(found)}"
    if engine.labels(image) is not None and not fresh:
        return image
    folder = cache_folder() / "base" / key(found)
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / "base.tar"
    if fresh or not archive.is_file():
        make(found, archive)
    containerfile = folder / "Containerfile"
    containerfile.write_text(CONTAINERFILE, encoding="utf-8")
    engine.build(Recipe(image=image, context=folder, containerfile=containerfile))
    return image
