"""`python -m benchmarks.start --out FILE`: seconds from start to ready, and resident memory.

Both launchers are measured, with both shipped models. There is no target here: the JSON says what
this machine took; on a busy one the seconds of CPU are the better number. Memory and CPU are read
from /proc, so this is for Linux.
"""

import http.client
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Final

import orjson
import typer
from pydantic import BaseModel

from benchmarks.serving import machine
from benchmarks.serving.processes import cpu_seconds, family
from benchmarks.serving.results import MachineFacts
from benchmarks.serving.server import HOST, ROOT, Command, Server, ServerError, running, service
from nlpserve import routes
from nlpserve.sentences import LanguageCode, sentences

MODELS: Final[dict[str, LanguageCode]] = {"intent": "fr", "emotion": "en"}
TEXTS: Final = 500
LAUNCHERS: Final = {
    "bento.serve": ["-m", "bento.serve"],
    "bentoml serve": ["-m", "bentoml", "serve", "bento.service:nlpserve"],
}


class Run(BaseModel):
    """One start."""

    ready_seconds: float
    cpu_seconds_to_ready: float
    processes: int
    resident_mb_when_ready: float
    resident_mb_after_texts: float


class Launcher(BaseModel):
    """All starts of one launcher, and their medians."""

    launcher: str
    ready_seconds: float
    cpu_seconds_to_ready: float
    resident_mb_when_ready: float
    resident_mb_after_texts: float
    runs: list[Run]


class StartResult(BaseModel):
    """What is written."""

    commit: str
    machine: MachineFacts
    load_average: float | None
    texts: int
    launchers: list[Launcher]


def main(
    out: Annotated[Path, typer.Option(help="JSON file to write.")],
    runs: Annotated[int, typer.Option(min=1, max=50, help="Starts of each launcher.")] = 3,
) -> None:
    """Measure start and memory of the service. Exit code 2 when nothing could be measured."""
    if sys.platform != "linux":
        typer.echo("not measured: memory is read from /proc, on Linux", err=True)
        raise typer.Exit(2)
    load = machine.load_average()
    try:
        launchers = [_measure(name, runs) for name in LAUNCHERS]
    except (ServerError, OSError) as error:
        typer.echo(f"not measured: {error}", err=True)
        raise typer.Exit(2) from None
    result = StartResult(
        commit=machine.commit(ROOT),
        machine=machine.machine_facts(),
        load_average=load,
        texts=TEXTS * len(MODELS),
        launchers=launchers,
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(result.model_dump_json(indent=2) + "\n", encoding="utf-8")
    for launcher in launchers:
        typer.echo(
            f"{launcher.launcher}: ready after {launcher.ready_seconds:.1f} s"
            f" ({launcher.cpu_seconds_to_ready:.1f} s of CPU),"
            f" {launcher.resident_mb_when_ready:.0f} MB resident,"
            f" {launcher.resident_mb_after_texts:.0f} MB after {result.texts} texts"
        )


def _measure(launcher: str, runs: int) -> Launcher:
    with tempfile.TemporaryDirectory() as folder:
        measured = [_start(launcher, Path(folder)) for _ in range(runs)]
    return Launcher(
        launcher=launcher,
        ready_seconds=statistics.median(run.ready_seconds for run in measured),
        cpu_seconds_to_ready=statistics.median(run.cpu_seconds_to_ready for run in measured),
        resident_mb_when_ready=statistics.median(run.resident_mb_when_ready for run in measured),
        resident_mb_after_texts=statistics.median(run.resident_mb_after_texts for run in measured),
        runs=measured,
    )


def _start(launcher: str, folder: Path) -> Run:
    base = service(",".join(MODELS), {}, folder / "log")
    arguments = [sys.executable, *LAUNCHERS[launcher], "--host", HOST, "--port", "PORT"]
    command = Command(arguments, base.environment, base.ready_path, base.log)
    with running(command, None) as server:
        cpu = cpu_seconds(server.pid)
        pids = list(family(server.pid))
        ready = sum(map(_resident_mb, pids))
        _send_texts(server)
        return Run(
            ready_seconds=server.ready_seconds,
            cpu_seconds_to_ready=cpu,
            processes=len(pids),
            resident_mb_when_ready=ready,
            resident_mb_after_texts=sum(map(_resident_mb, pids)),
        )


def _send_texts(server: Server) -> None:
    """A small load, in requests of 50 texts. Raises ServerError unless all are answered."""
    connection = http.client.HTTPConnection(HOST, server.port, timeout=60)
    try:
        for model, language in MODELS.items():
            texts = sentences(language, TEXTS, seed=2)
            path = routes.V1_CLASSIFY.format(model=model)
            for first in range(0, TEXTS, 50):
                body = orjson.dumps({"texts": texts[first : first + 50]})
                connection.request("POST", path, body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    raise ServerError(f"{path} answered {answer.status}")
    finally:
        connection.close()


def _resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1000
    return 0.0


if __name__ == "__main__":
    typer.run(main)
