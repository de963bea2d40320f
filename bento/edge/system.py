"""Probes, metrics and the pages: what is answered without a key and without a model."""

from pathlib import Path
from typing import Final

import orjson
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from bento.edge.messages import HTML, JSON, TEXT, Handler, Request, Response, json_response
from bento.runtime import Runtime
from nlpserve import routes

FOLDER: Final = Path(__file__).parent
PAGE_HEADERS: Final = (
    (
        b"content-security-policy",
        b"default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline';"
        b" img-src 'self' data:; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


def live_handler(runtime: Runtime, route: str) -> Handler:
    """Whether the process can still answer; if not it should be restarted."""

    async def get_live(request: Request) -> Response:
        request.route = route
        return _probe(route, "live", good=runtime.alive)

    return get_live


def ready_handler(runtime: Runtime, route: str) -> Handler:
    """Whether new requests should come here."""

    async def get_ready(request: Request) -> Response:
        request.route = route
        return _probe(route, "ready", good=runtime.ready)

    return get_ready


def metrics_handler(runtime: Runtime) -> Handler:
    """Prometheus' text format."""

    async def get_metrics(request: Request) -> Response:
        request.route = routes.METRICS
        text = generate_latest(runtime.metrics.registry)
        return Response(text, CONTENT_TYPE_LATEST.encode())

    return get_metrics


def file_handler(name: str, route: str) -> Handler:
    """A page of this folder, read once."""
    content = (FOLDER / name).read_bytes()

    async def get_file(request: Request) -> Response:
        request.route = route
        return Response(content, HTML, headers=PAGE_HEADERS)

    return get_file


def json_handler(content: object, route: str) -> Handler:
    """A JSON document that does not change."""
    body = orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS)  # BentoML keys statuses by int

    async def get_json(request: Request) -> Response:
        request.route = route
        return Response(body, JSON)

    return get_json


def _probe(route: str, word: str, *, good: bool) -> Response:
    status = 200 if good else 503
    if route.startswith(routes.V2_SERVER):
        return json_response({word: good}, status)
    return Response(b"ok\n" if good else b"not " + word.encode() + b"\n", TEXT, status)
