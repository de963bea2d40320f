"""Builds components with Go into the cache, each keyed by everything it is made from."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from k8s.local.components import Component, owner_of
from k8s.local.errors import BuildFailed, ClusterError, Missing
from k8s.local.locks import locked
from k8s.local.notes import note
from k8s.local.places import MODULES, cache
from k8s.local.shell import run

GO = "1.26"
"""Go 1.27 breaks kube-openapi: the API server then refuses what `kubectl apply` sends."""
GO_EXACT = "go1.26.8"
"""What another Go is asked to fetch and be."""
LONGEST_BUILD = 3600
"""Seconds; of everything, on two busy cores, it took 25 minutes."""


def key(component: Component) -> str:
    """Changes when the result could: sources, pins, flags, compiler series, processor."""
    folder = MODULES / component.name
    digest = hashlib.sha256(repr((component, GO, platform.machine())).encode())
    for name in ("go.mod", "go.sum", "tools.go"):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:12]


def folder_of(component: Component) -> Path:
    """Where it is, or will be, once built."""
    return cache() / "programs" / f"{component.name}-{component.version}-{key(component)}"


def is_built(component: Component) -> bool:
    return folder_of(component).is_dir()


def program(name: str) -> Path:
    """A built program's path. Raises BuildFailed where its component is not built yet."""
    component = owner_of(name)
    if component is None or not is_built(component):
        raise BuildFailed(f"{name} is not built: run `python3 -m k8s.local build`")
    return folder_of(component) / "bin" / name


def build(components: Sequence[Component]) -> None:
    """Build what is missing, one after the other (Go itself uses every core).

    What is built already waits for nobody.
    """
    if all(map(is_built, components)):
        return
    with building():
        missing = [item for item in components if not is_built(item)]
        for count, component in enumerate(missing, 1):
            note(f"[{count}/{len(missing)}] building {component.name} {component.version}")
            start = time.monotonic()
            build_one(component)
            note(f"[{count}/{len(missing)}] {component.name}: {time.monotonic() - start:.0f} s")


def build_one(component: Component) -> None:
    """Into a folder beside, then renamed: what is there is always whole."""
    target = folder_of(component)
    work = target.with_name(f".{target.name}.{os.getpid()}")
    source = MODULES / component.name
    environment = go_environment(component)
    try:
        (work / "bin").mkdir(parents=True)
        for name, package in component.packages().items():
            words = ["go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false"]
            words += ["-tags", component.tags, "-ldflags", component.linker_flags()]
            go([*words, "-o", str(work / "bin" / name), package], source, environment)
        keep_manifests(component, work / "manifests")
        work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def keep_manifests(component: Component, target: Path) -> None:
    """Copy what add-ons need out of the module, so that it is there without the module.

    A component that was built has them in the cache already.
    """
    if not component.manifests:
        return
    kept = folder_of(component) / "manifests"
    source = kept if kept.is_dir() else module_folder(component)
    for name in component.manifests:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name)
        else:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, target / name)
    run(["chmod", "-R", "u+w", target])


def module_folder(component: Component) -> Path:
    """The module's source, fetched where needed."""
    words = ["go", "mod", "download", "-json", f"{component.module}@{component.version}"]
    folder, environment = MODULES / component.name, go_environment(component)
    facts = json.loads(run(words, folder=folder, environment=environment, timeout=600))
    return Path(facts["Dir"])


def go(words: list[str], folder: Path, environment: dict[str, str]) -> None:
    """Compiles for at most half an hour; what the compiler says goes into the error."""
    try:
        done = subprocess.run(
            words, cwd=folder, env=environment, capture_output=True, text=True,
            timeout=1800, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise BuildFailed(f"{folder.name} was not built within half an hour") from error
    if done.returncode:
        raise BuildFailed(f"{folder.name} does not build:\n{done.stderr.strip()[-3000:]}")


def go_environment(component: Component) -> dict[str, str]:
    """The machine's own Go where it is of the right series, else that Go fetching the right one."""
    environment = {**os.environ, "CGO_ENABLED": "1" if component.cgo else "0"}
    if not go_version().startswith(f"go{GO}"):
        environment["GOTOOLCHAIN"] = GO_EXACT
    return environment


def go_version() -> str:
    """Such as go1.26.8. Raises Missing where there is no Go."""
    try:
        return run(["go", "env", "GOVERSION"], folder=MODULES).strip()
    except ClusterError as error:
        raise Missing(
            f"Go is missing: install Go {GO} (any Go from 1.21 on can fetch it by itself)"
        ) from error


def building() -> AbstractContextManager[None]:
    """One build at a time on this machine; the others wait for its result. Raises Busy."""
    return locked(cache() / "lock", "another build", LONGEST_BUILD)
