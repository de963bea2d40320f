"""The real service in a process of its own, and small tools to talk to it."""

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
READY_SECONDS = 90.0
STOP_SECONDS = 40.0
SERVICE = "bento.service:nlpserve"
BENTOML = "bentoml serve"
OWN = "bento.serve"
LAUNCHERS = (BENTOML, OWN)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return listener.getsockname()[1]


def environment(home: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with these settings and no others."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NLPSERVE_")}
    kept.pop("BENTOML_CONTAINERIZED", None)
    own = {"BENTOML_DO_NOT_TRACK": "True", "BENTOML_HOME": str(home), "PYTHONUNBUFFERED": "1"}
    return {**kept, **own, **{f"NLPSERVE_{name.upper()}": v for name, v in settings.items()}}


def serve_command(port: int, launcher: str = BENTOML, target: str = SERVICE) -> list[str]:
    address = ["--host", HOST, "--port", str(port)]
    if launcher == OWN:
        return [sys.executable, "-m", "bento.serve", *address]
    return [
        sys.executable, "-m", "bentoml", "serve", target, *address, "--timeout-keep-alive", "75"
    ]  # fmt: skip


class Server:
    """A server process: started, waited for, and always ended by its process id."""

    def __init__(
        self,
        folder: Path,
        *,
        launcher: str = BENTOML,
        target: str = SERVICE,
        cwd: Path = ROOT,
        **settings: str,
    ) -> None:
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self._log = folder / f"server-{self.port}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                serve_command(self.port, launcher, target),
                cwd=cwd,
                env=environment(folder / "bentoml", settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C at the tests must not reach it before they stop it
            )
        self._family = psutil.Process(self.process.pid)

    def __enter__(self) -> "Server":
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def log_tail(self, lines: int = 40) -> str:
        return "\n".join(self.log.splitlines()[-lines:])

    def worker(self) -> psutil.Process:
        """The process that answers."""
        children = self._family.children()
        return children[0] if children else self._family

    def signal(self, number: signal.Signals, *, group: bool = False) -> None:
        if group:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        return self.process.wait(seconds)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL to what is left of it after STOP_SECONDS."""
        members = [self._family]
        if self.process.poll() is None:
            members += self._family.children(recursive=True)
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                print(f"The server did not end; its log:\n{self.log_tail()}")
        for member in members:
            if member.is_running() and member.status() != psutil.STATUS_ZOMBIE:
                member.kill()
        self.process.wait(STOP_SECONDS)

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body, whatever the status, on a connection of its own."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def metrics(self) -> "Counts":
        status, body = self.get("/metrics")
        assert status == 200
        return Counts(body.decode())

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(
                    f"The server ended with {self.process.returncode}; its log:\n{self.log_tail()}"
                )
            try:
                if self.get("/readyz")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise AssertionError(
            f"The server was not ready in {READY_SECONDS:g} s; its log:\n{self.log_tail()}"
        )


class Counts:
    """Samples of one scrape."""

    def __init__(self, text: str) -> None:
        self._samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    @property
    def series(self) -> set[tuple[str, frozenset[tuple[str, str]]]]:
        """Name and labels of each."""
        return set(self._samples)

    def total(self, name: str, **labels: str) -> float:
        """The sum of all samples of this name that carry these labels."""
        return sum(
            value
            for (sample, found), value in self._samples.items()
            if sample == "nlpserve_" + name and labels.items() <= dict(found).items()
        )

    def by(self, name: str, label: str, **labels: str) -> dict[str, float]:
        """Sums by one label's values, zeros left out."""
        values = {
            dict(found)[label]
            for (sample, found) in self._samples
            if sample == "nlpserve_" + name and labels.items() <= dict(found).items()
        }
        sums = {value: self.total(name, **labels, **{label: value}) for value in values}
        return {value: count for value, count in sums.items() if count}


class Change:
    """What the counters gained since this was made."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._before = server.metrics()
        self._after: Counts | None = None

    def take(self) -> "Change":
        self._after = self._server.metrics()
        return self

    def total(self, name: str, **labels: str) -> float:
        assert self._after is not None
        return self._after.total(name, **labels) - self._before.total(name, **labels)

    def by(self, name: str, label: str, **labels: str) -> dict[str, float]:
        assert self._after is not None
        before = self._before.by(name, label, **labels)
        after = self._after.by(name, label, **labels)
        gained = {value: count - before.get(value, 0) for value, count in after.items()}
        return {value: count for value, count in gained.items() if count}


class Answer:
    """A response read from a raw socket."""

    def __init__(self, data: bytes) -> None:
        head, _, self.body = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1]) if lines[0] else 0
        self.headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines[1:])
        }

    def json(self) -> dict[str, object]:
        return json.loads(self.body)


def talk(port: int, *parts: bytes, pause: float = 0.0, timeout: float = 15.0) -> Answer:
    """Send bytes as they are, piece by piece, and read one response to its declared end."""
    with socket.create_connection((HOST, port), timeout=timeout) as connection:
        try:
            for position, part in enumerate(parts):
                if position:
                    time.sleep(pause)
                connection.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server may have answered and closed before it read all
        return Answer(b"".join(_response(connection)))


def _response(connection: socket.socket) -> Iterator[bytes]:
    data = b""
    while True:
        try:
            chunk = connection.recv(65536)
        except ConnectionResetError:
            return
        if not chunk:
            return
        yield chunk
        data += chunk
        head, separator, body = data.partition(b"\r\n\r\n")
        if separator:
            for line in head.split(b"\r\n"):
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length" and len(body) >= int(value):
                    return


def post_bytes(
    path: str, body: bytes, content_type: str | None = "application/json", *headers: str
) -> bytes:
    """A whole HTTP/1.1 request."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {HOST}", f"Content-Length: {len(body)}", *headers]
    if content_type is not None:
        lines.append(f"Content-Type: {content_type}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def make_artifact(folder: Path, name: str, labels: Sequence[str], language: str = "en") -> Path:
    """A bag-of-words classifier that knows one word for each label: the label itself."""
    import spacy  # noqa: PLC0415  only some tests need it, and it takes a second
    from spacy.training import Example  # noqa: PLC0415

    nlp = spacy.blank(language)
    architecture = {
        "@architectures": "spacy.TextCatBOW.v3",
        "exclusive_classes": True,
        "ngram_size": 1,
        "no_output_layer": False,
        "length": 1024,
    }
    classifier = nlp.add_pipe("textcat", config={"model": architecture})
    for label in labels:
        classifier.add_label(label)
    examples = []
    for label in labels:
        wanted = {other: float(other == label) for other in labels}
        examples.append(Example.from_dict(nlp.make_doc(label), {"cats": wanted}))
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.1
    for _ in range(20):
        nlp.update(examples, sgd=optimizer)
    folder.mkdir(parents=True, exist_ok=True)
    nlp.to_disk(folder / "pipeline")
    write_manifest(folder, name, labels, language)
    return folder


def write_manifest(folder: Path, name: str, labels: Sequence[str], language: str = "en") -> None:
    files = sorted(path for path in (folder / "pipeline").rglob("*") if path.is_file())
    manifest = {
        "name": name,
        "version": "1.0.0",
        "kind": "spacy",
        "labels": list(labels),
        "language": language,
        "files": {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
        },
        "licence": "none",
        "created_by": "the tests",
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
