"""The application with fake models in it, called as a server would."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http.client import HTTPResponse
from io import BytesIO
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import uvicorn
from prometheus_client.parser import text_string_to_metric_families
from uvicorn.server import ServerState

from bento.edge import protocol
from bento.edge.application import Application
from bento.edge.keys import Keys
from bento.runtime import Runtime
from bento.settings import Settings


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self):
        super().__init__()
        self.written = b""
        self.on_write = lambda: None
        self.closed = self.paused = False

    def write(self, data):
        assert not self.closed
        self.written += data
        self.on_write()

    def close(self):
        self.closed = True

    def is_closing(self):
        return self.closed

    def pause_reading(self):
        assert not self.paused
        self.paused = True

    def resume_reading(self):
        assert self.paused
        self.paused = False

    def get_write_buffer_size(self):
        return 0


class Connection:
    """One client's connection to the application."""

    def __init__(self, config, wire):
        self.state = ServerState()
        self.wire = wire
        self.protocol = config.http_protocol_class(
            config=config, server_state=self.state, app_state={}
        )
        self.protocol.access_log = False
        self.protocol.connection_made(self.wire)

    async def ask(self, target, *headers, method="GET"):
        """Status, headers and body; and whether a task was made for it."""
        self.wire.written = b""
        lines = [f"{method} {target} HTTP/1.1", "Host: here", *headers, "", ""]
        self.protocol.data_received("\r\n".join(lines).encode())
        tasked = bool(self.protocol.tasks)
        for _ in range(200):
            if self.protocol.cycle.response_complete:
                break
            await asyncio.sleep(0.001)
        written = self.wire.written
        response = HTTPResponse(SimpleNamespace(makefile=lambda _: BytesIO(written)), method=method)
        response.begin()
        return response, response.read(), tasked

    async def pipeline(self, targets, *headers_of_the_first):
        """Ask for all of them in one write, numbered, and wait until the last is answered."""
        requests = []
        for number, target in enumerate(targets):
            headers = [f"X-Request-Id: {number}", *([] if number else headers_of_the_first)]
            requests.append("\r\n".join([f"GET {target} HTTP/1.1", *headers, "", ""]))
        self.protocol.data_received("".join(requests).encode())
        async with asyncio.timeout(30):
            while len(self.statuses()) < len(requests) and not self.protocol.cycle.disconnected:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    def statuses(self):
        """Status of each answer, in the order in which they were written."""
        return [int(s) for s in re.findall(rb"HTTP/1.1 (\d+) ", self.wire.written)]

    def answers(self):
        """Status and number of each, in the order in which they were written."""
        pattern = rb"HTTP/1.1 (\d+) .*?x-request-id: (\d+)\r\n"
        heads = re.findall(pattern, self.wire.written, re.DOTALL)
        return [(int(status), int(number)) for status, number in heads]


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: str) -> str | None:
        found = [value for key, value in self.headers if key.lower() == name.encode()]
        assert len(found) < 2, f"{name} came twice"
        return found[0].decode() if found else None

    def json(self) -> Any:
        assert self.header("content-type") == "application/json"
        return json.loads(self.body)

    def problem(self) -> dict[str, Any]:
        """The RFC 9457 object, its common members checked."""
        assert self.header("content-type") == "application/problem+json"
        problem = json.loads(self.body)
        assert problem["status"] == self.status
        assert problem["request_id"] == self.header("x-request-id")
        assert problem["type"] == "about:blank"
        assert problem["title"]
        assert problem["detail"]
        return problem


async def ask(app, method, path, *, body=b"", headers=(), query="") -> Answer:
    """One request, as a server would put it; `body` may be a list of chunks."""
    chunks = [body] if isinstance(body, bytes) else list(body)
    messages = [
        {"type": "http.request", "body": chunk, "more_body": position < len(chunks) - 1}
        for position, chunk in enumerate(chunks)
    ]
    sent: list[dict[str, Any]] = []

    async def receive():
        if not messages:
            await asyncio.Event().wait()  # the client stays, and sends no more
        return messages.pop(0)

    async def send(message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(key.lower().encode(), value.encode()) for key, value in dict(headers).items()],
    }
    await app(scope, receive, send)
    assert [message["type"] for message in sent[:1]] == ["http.response.start"]
    assert all(message["type"] == "http.response.body" for message in sent[1:])
    answer = Answer(
        sent[0]["status"],
        list(sent[0]["headers"]),
        b"".join(message.get("body", b"") for message in sent[1:]),
    )
    assert answer.header("content-length") == str(len(answer.body))
    return answer


class Inner:
    """Stands for BentoML's application."""

    def __init__(self) -> None:
        self.status = 200
        self.seen: list[tuple[str, str, bytes]] = []
        self.lifespan: list[str] = []
        self.before_answer: Callable[[], None] = lambda: None

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] == "lifespan":
            for event in ("startup", "shutdown"):
                assert (await receive())["type"] == f"lifespan.{event}"
                self.lifespan.append(event)
                await send({"type": f"lifespan.{event}.complete"})
            return
        body = (await receive())["body"]
        self.seen.append((scope["method"], scope["path"], body))
        self.before_answer()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"4")]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"null"})


class House:
    """The application with its runtime, started through the lifespan protocol."""

    def __init__(self, app: Application, runtime: Runtime, inner: Inner) -> None:
        self.app = app
        self.runtime = runtime
        self.inner = inner

    async def get(self, path, query="", **headers) -> Answer:
        return await self.ask("GET", path, headers=headers, query=query)

    async def post(self, path, content, **headers) -> Answer:
        """Post JSON; bytes go as they are."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        given = {"content_type": "application/json"} | headers
        return await self.ask("POST", path, body, headers=given)

    async def ask(self, method, path, body=b"", *, headers=(), query="") -> Answer:
        named = {key.replace("_", "-"): value for key, value in dict(headers).items()}
        return await ask(self.app, method, path, body=body, headers=named, query=query)

    async def series(self) -> dict[tuple[str, ...], float]:
        """Every nlpserve sample of /metrics: (name, label values in order of label name)."""
        text = (await self.get("/metrics")).body.decode()
        return {
            (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name.startswith("nlpserve_")
        }


@asynccontextmanager
async def open_house(app, runtime, inner) -> AsyncIterator[House]:
    events: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    answers: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    task = asyncio.create_task(app({"type": "lifespan"}, events.get, answers.put))
    await events.put({"type": "lifespan.startup"})
    started = await answers.get()
    assert started == {"type": "lifespan.startup.complete"}, started
    try:
        yield House(app, runtime, inner)
    finally:
        await events.put({"type": "lifespan.shutdown"})
        assert (await answers.get())["type"] == "lifespan.shutdown.complete"
        await task


@pytest.fixture
def engines(monkeypatch, fake_engine):
    """Replaces the loading of models by fakes; the dict fills as artifacts are loaded."""
    loaded = {}

    def load(found, *, threads):
        assert threads >= 1
        engine = fake_engine(found.manifest.labels)
        return loaded.setdefault(found.manifest.name, engine)

    monkeypatch.setattr("bento.runtime.load_engine", load)
    return loaded


@pytest.fixture
async def open_app(artifact, engines):
    """`async with open_app(**settings) as house`: both models, French on the loop, English not."""
    folders = {}

    def build(**settings: Any):
        if not folders:
            folders["intent"] = artifact("intent")
            folders["emotion"] = artifact("emotion", kind="transformer-onnx", language="en")
        models = ",".join(f"{name}={folder}" for name, folder in folders.items())
        chosen = Settings(**({"models": models} | settings))
        runtime, inner = Runtime(chosen), Inner()
        inner_openapi = {"paths": {"/classify": {"post": {"responses": {200: {}}}}}}
        return open_house(Application(inner, runtime, Keys(chosen), inner_openapi), runtime, inner)

    return build


@pytest.fixture
async def house(open_app):
    """The application with default settings."""
    async with open_app() as opened:
        yield opened


@pytest.fixture
def new_wire():
    """Makes a connection's transport."""
    return Wire


@pytest.fixture
async def connect(open_app, new_wire):
    """A connection to an application with these settings, the protocol installed."""
    opened = []

    async def run(*, keep_alive=75, **settings):
        house_context = open_app(**settings)
        house = await house_context.__aenter__()
        config = uvicorn.Config(
            house.app,
            lifespan="off",
            log_config=None,
            http="httptools",
            timeout_keep_alive=keep_alive,
        )
        config.load()
        protocol.install(SimpleNamespace(config=config), house.app)
        connection = Connection(config, new_wire())
        opened.append((house_context, connection))
        return house, connection

    yield run
    for house_context, connection in opened:
        connection.protocol.connection_lost(None)
        await house_context.__aexit__(None, None, None)
