"""Which core runs what, and the facts of the machine that a reader needs beside a number."""

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.serving.results import MachineFacts, Pinning

PACKAGES = (
    "bentoml", "httptools", "numpy", "onnxruntime", "orjson", "spacy", "tokenizers", "uvicorn",
    "uvloop",
)  # fmt: skip


def choose_cores() -> Pinning:
    """The first allowed core for model and server, the second for the client."""
    if sys.platform != "linux":
        return Pinning(note="This system cannot pin a process: server and client share all cores.")
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) == 1:
        return Pinning(
            server_core=cores[0],
            client_core=cores[0],
            note="There is one core: the client took its time from the server.",
        )
    return Pinning(
        server_core=cores[0],
        client_core=cores[1],
        note="Model and server on one core, the client on another.",
    )


def pin(pid: int, core: int | None) -> None:
    """Keep the process (0: this one) and what it will start on the core; None leaves it free."""
    if core is not None and sys.platform == "linux":
        os.sched_setaffinity(pid, {core})


def machine_facts() -> MachineFacts:
    """Facts without names of host or user."""
    return MachineFacts(
        cpu=_cpu_model(),
        cores=os.cpu_count() or 1,
        system=platform.system(),
        kernel=platform.release(),
        architecture=platform.machine(),
        python=platform.python_version(),
        packages={name: found for name in PACKAGES if (found := _version(name))},
    )


def load_average() -> float | None:
    """Processes that wanted to run in the last minute; above 1 the machine was not ours alone."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def commit(root: Path) -> str:
    """The commit measured, with a mark when tracked files differ from it; else "unknown"."""
    try:
        head = _git(root, "rev-parse", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return f"{head} with changes" if changed else head


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)
    return done.stdout.strip()


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
