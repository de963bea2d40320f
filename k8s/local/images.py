"""The images of what runs in pods: one static program each, on nothing.

Beside the cluster's own there is busybox, for tests and for a look around from inside.
"""

import hashlib
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from k8s.local.build import building, folder_of, program
from k8s.local.components import COREDNS, KEDA, KUBERNETES, METRICS_SERVER, PROMETHEUS, Component
from k8s.local.notes import note
from k8s.local.places import cache
from k8s.local.shell import Argument, run

REPOSITORY = "localhost/nlpserve-local"
"""`localhost` keeps containerd from completing the name with a registry's."""

CONTAINERFILE = """FROM scratch
COPY . /
USER {user}
ENTRYPOINT ["/{program}"]
"""
NOBODY = 1000
ROOT_USER = 0


@dataclass(frozen=True)
class Image:
    """`program` of a component at / of an otherwise empty image."""

    program: str
    component: Component | None
    """None for busybox, which is Debian's."""
    user: int = NOBODY

    @property
    def name(self) -> str:
        return (
            f"{REPOSITORY}/{self.program}:{self.component.version if self.component else 'local'}"
        )

    @property
    def archive(self) -> Path:
        recipe = repr((CONTAINERFILE, self.user, self.name))
        source = str(folder_of(self.component)) if self.component else file_mark(BUSYBOX)
        mark = hashlib.sha256(f"{recipe}{source}".encode()).hexdigest()[:12]
        return cache() / "images" / f"{self.program}-{mark}.tar"


def file_mark(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


BUSYBOX = Path("/bin/busybox")
BUSYBOX_IMAGE = Image("busybox", None)
PAUSE_IMAGE = Image("pause", KUBERNETES)
PAUSE = PAUSE_IMAGE.name
COREDNS_IMAGE = Image("coredns", COREDNS, user=ROOT_USER)
METRICS_SERVER_IMAGE = Image("metrics-server", METRICS_SERVER)
KEDA_IMAGES = (Image("keda", KEDA), Image("keda-adapter", KEDA))
PROMETHEUS_IMAGE = Image("prometheus", PROMETHEUS)


def build(images: Sequence[Image]) -> None:
    """The archives that are missing; their components must be built."""
    if all(image.archive.exists() for image in images):
        return
    with building():
        for image in images:
            if not image.archive.exists():
                note(f"making the image {image.name}")
                build_one(image)


def build_one(image: Image) -> None:
    """An OCI archive, uncompressed: it is read from this disk at every start."""
    image.archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache()) as folder:
        work = Path(folder)
        context = work / "context"
        context.mkdir()
        if image is PAUSE_IMAGE:
            compile_pause(context / "pause")
        elif image is BUSYBOX_IMAGE:
            install_busybox(context)
        else:
            shutil.copy(program(image.program), context / image.program)
        # KEDA writes there; no other program minds.
        (context / "tmp").mkdir()
        (context / "tmp").chmod(0o1777)
        recipe = work / "Containerfile"
        text = CONTAINERFILE.format(user=image.user, program=image.program)
        recipe.write_text(text, encoding="ascii")
        buildah: list[Argument] = ["buildah", "--storage-driver", "vfs"]
        buildah += ["--root", work / "store", "--runroot", work / "run"]
        words: list[Argument] = ["--isolation", "chroot", "--file", recipe, "--tag", image.name]
        run([*buildah, "bud", *words, context], timeout=300)
        finished = work / "image.tar"
        target = f"oci-archive:{finished}:{image.name}"
        run([*buildah, "push", "--disable-compression", image.name, target], timeout=300)
        finished.rename(image.archive)


def compile_pause(target: Path) -> None:
    """The process that holds a pod's namespaces; Kubernetes ships it as one C file."""
    source = folder_of(KUBERNETES) / "manifests" / "build" / "pause" / "linux" / "pause.c"
    number = KUBERNETES.version.removeprefix("v")
    run(["cc", "-Os", "-static", f"-DVERSION={number}", "-o", target, source])


def install_busybox(context: Path) -> None:
    """The program with its libraries, and a link to it for each of its commands.

    Not the static one: glibc looks up names with libraries that it loads when it is asked.
    """
    folder = context / "bin"
    folder.mkdir()
    shutil.copy(BUSYBOX, context / "busybox")
    for library in re.findall(r"(/\S+) \(0x", run(["ldd", BUSYBOX])):
        target = context / library.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)
    for name in run([BUSYBOX, "--list"]).split():
        (folder / name).symlink_to("/busybox")


def needed(addons: Sequence[str]) -> list[Image]:
    """The images of a cluster with these add-ons."""
    extra = {
        "metrics-server": (METRICS_SERVER_IMAGE,),
        "keda": KEDA_IMAGES,
        "prometheus": (PROMETHEUS_IMAGE,),
    }
    return [
        PAUSE_IMAGE,
        COREDNS_IMAGE,
        BUSYBOX_IMAGE,
        *(image for name in addons for image in extra[name]),
    ]
