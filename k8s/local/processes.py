"""The cluster's own processes: started, recorded, known again, ended by their id."""

import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from k8s.local import cgroups
from k8s.local.places import CGROUP, LOGS, PROCESSES
from k8s.local.proxy import without_proxy
from k8s.local.shell import inside

DAEMONS = f"{CGROUP}/daemons"


@dataclass(frozen=True)
class Process:
    """What should run. `configuration` are the files whose change asks for a new start."""

    name: str
    namespace: str
    command: tuple[str, ...]
    configuration: tuple[Path, ...] = ()
    path: str = ""
    """Folders put before PATH."""

    def fingerprint(self) -> str:
        digest = hashlib.sha256(repr((self.namespace, self.command, self.path)).encode())
        for file in self.configuration:
            digest.update(file.read_bytes())
        return digest.hexdigest()

    @property
    def log(self) -> Path:
        return LOGS / f"{self.name}.log"


@dataclass(frozen=True)
class Record:
    """What was started; its start time tells it from a later process with the same id."""

    name: str
    id: int
    started: int
    fingerprint: str

    def alive(self) -> bool:
        return start_time(self.id) == self.started


def start_time(process: int) -> int | None:
    """In clock ticks since boot, from proc(5)'s field 22; None when it has ended."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[19])


def records() -> list[Record]:
    """All that were started and not ended by us, dead or alive."""
    found = (read(file) for file in sorted(PROCESSES.glob("*.json")))
    return [record for record in found if record]


def find(name: str) -> Record | None:
    return read(PROCESSES / f"{name}.json")


def read(file: Path) -> Record | None:
    """None where there is none (any more): nodes are started side by side, and may end others."""
    try:
        return Record(**json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def ensure(process: Process) -> bool:
    """Start it unless it runs just so; whether it was started now."""
    fingerprint = process.fingerprint()
    record = find(process.name)
    if record and record.alive() and record.fingerprint == fingerprint:
        return False
    if record:
        end(record)
    for folder in (LOGS, PROCESSES):
        folder.mkdir(parents=True, exist_ok=True)
    environment = {**without_proxy(), "PATH": f"{process.path}{os.environ['PATH']}"}
    with process.log.open("ab") as log:
        started = subprocess.Popen(  # it outlives us: the record is what holds it
            [*inside(process.namespace), *process.command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=environment,
            start_new_session=True,
        )
    cgroups.enter(DAEMONS, started.pid)
    moment = start_time(started.pid)
    record = Record(process.name, started.pid, moment or 0, fingerprint)
    write(record)
    return True


def write(record: Record) -> None:
    """Whole or not at all: others read the records while nodes are started side by side."""
    draft = PROCESSES / f"{record.name}.draft"
    draft.write_text(json.dumps(asdict(record)), encoding="utf-8")
    draft.rename(PROCESSES / f"{record.name}.json")


def end(record: Record, *, patience: float = 15) -> None:
    """Ask it to end, then make it; its record goes with it."""
    for wish, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 5.0)):
        deadline = time.monotonic() + seconds
        if record.alive():
            with suppress(ProcessLookupError):
                os.kill(record.id, wish)
        while record.alive() and time.monotonic() < deadline:
            time.sleep(0.05)
    (PROCESSES / f"{record.name}.json").unlink(missing_ok=True)


def kill(process: int) -> None:
    """At once; one that has just ended is no error."""
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def dead(names: Sequence[str]) -> list[str]:
    """Those of the names that were started and have ended."""
    return [record.name for record in records() if record.name in names and not record.alive()]
