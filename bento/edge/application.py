"""The ASGI application: routes, errors, counts. All other modules here are called by this one."""

import asyncio
import logging
import time
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any, Final

import orjson

from bento.artifacts import ArtifactError
from bento.edge.body import Disconnected, is_json, parse_json, read_body
from bento.edge.direct import DirectWriter
from bento.edge.keys import Keys
from bento.edge.messages import ASGIApp, Handler, Receive, Request, Response, Scope, Send
from bento.edge.origin import WrongComment
from bento.edge.problem_log import ProblemLog
from bento.edge.routing import Routes, build_routes
from bento.edge.v1 import check_native
from bento.runtime import Runtime
from nlpserve import routes as names
from nlpserve.errors import (
    PROBLEM_MEDIA_TYPE,
    MethodNotAllowed,
    NlpserveError,
    UnsupportedMediaType,
)
from nlpserve.metrics import Rejection

logger = logging.getLogger("nlpserve.requests")

_PROBLEM: Final = PROBLEM_MEDIA_TYPE.encode()

current_request: ContextVar[Request | None] = ContextVar("current_request", default=None)
"""The request that BentoML answers: its API method leaves the model and its error there."""


class Application:
    """Answers its own routes, hands on BentoML's, and counts both."""

    def __init__(
        self, inner: ASGIApp, runtime: Runtime, keys: Keys, inner_openapi: Mapping[str, Any]
    ) -> None:
        """`inner` is BentoML's application; its lifespan runs within the runtime's."""
        self._inner = inner
        self._runtime = runtime
        self._keys = keys
        self._inner_openapi = inner_openapi
        self._writer = DirectWriter()
        self._log = ProblemLog()
        self._routes: Routes = build_routes(runtime, inner_openapi)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection event."""
        if scope["type"] == "http":
            lifecycle = self._runtime.lifecycle
            lifecycle.open_requests += 1
            try:
                await self._http(scope, receive, send)
            finally:
                lifecycle.open_requests -= 1
        elif scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        else:
            await self._inner(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        request = Request(scope, receive)
        try:
            if self._keys.wanted and not self._routes.is_open(request.method, request.path):
                self._keys.check(request)
            handler = self._handler(request)
            response = (
                await self._hand_on(request, scope, send)
                if handler is None
                else await handler(request)
            )
        except NlpserveError as error:
            response = self._problem(request, error)
        except Disconnected:
            return
        except asyncio.CancelledError:
            raise
        except Exception:
            logger.exception("request_id=%s failed", request.request_id.decode())
            problem = self._problem(request, NlpserveError("The server failed; see its log."))
            response = None if request.answered else problem
        self._count(request, response.status if response else request.status, started)
        if response is None:
            return
        headers = self._headers(request, response)
        if not self._writer.write(send, response.status, headers, response.body):
            await send(
                {"type": "http.response.start", "status": response.status, "headers": headers}
            )
            await send({"type": "http.response.body", "body": response.body})

    def _handler(self, request: Request) -> Handler | None:
        """The route's handler, or None for a route of BentoML's. Raises NotFound and so on."""
        methods = self._routes.exact.get(request.path)
        if methods is None:
            inner_methods = self._routes.inner_methods(request.path)
            if request.method in inner_methods:
                request.route = self._routes.inner_label(request.path)
                return None
            request.route = names.UNMATCHED
            if inner_methods:
                raise MethodNotAllowed(request.method, inner_methods)
            raise self._routes.not_found(request.path)
        handler = methods.get(request.method)
        if handler is None:
            request.route = names.UNMATCHED
            raise MethodNotAllowed(request.method, tuple(methods))
        return handler

    async def _hand_on(self, request: Request, scope: Scope, send: Send) -> Response | None:
        """Let BentoML answer; returns the answer instead when our own error lies behind it.

        The body is read here, so that BentoML's routes keep the same limits, and only JSON goes
        on: BentoML would also read formats that a stranger should not be able to send.
        """
        body = b""
        if request.method == "POST":
            body = await read_body(request, self._runtime.limits)
            if not is_json(request):
                raise UnsupportedMediaType("Send the body as application/json.")
            check_native(parse_json(body, self._runtime.limits))
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> MutableMapping[str, Any]:
            return messages.pop() if messages else await request.receive()

        async def send_with_headers(message: MutableMapping[str, Any]) -> None:
            if request.error is not None:
                return
            if message["type"] == "http.response.start":
                request.status = message["status"]
                request.answered = True
                message = {**message, "headers": [*message["headers"], *self._own(request)]}
            await send(message)

        token = current_request.set(request)
        try:
            await self._inner(scope, replay, send_with_headers)
        finally:
            current_request.reset(token)
        return None if request.error is None else self._problem(request, request.error)

    def _headers(self, request: Request, response: Response) -> list[tuple[bytes, bytes]]:
        return [
            (b"content-type", response.content_type),
            (b"content-length", b"%d" % len(response.body)),
            *self._own(request),
            *response.headers,
        ]

    def _own(self, request: Request) -> list[tuple[bytes, bytes]]:
        """Headers of every answer."""
        headers = [(b"x-request-id", request.request_id)]
        if request.traceparent is not None:
            headers.append((b"traceparent", request.traceparent))
        if self._runtime.lifecycle.draining:
            headers.append((b"connection", b"close"))
        return headers

    def _count(self, request: Request, status: int, started: float) -> None:
        if request.route not in names.PROBES:
            seconds = time.perf_counter() - started
            self._runtime.metrics.observe_request(request.model, request.route, status, seconds)

    def _problem(self, request: Request, error: NlpserveError) -> Response:
        """Log and count the error, and say it to the client."""
        runtime = self._runtime
        runtime.metrics.rejected[request.model, error.reason or Rejection.FAILED] += 1
        self._log.write(request, error)
        request.route = request.route or names.UNMATCHED
        if runtime.log is not None:
            runtime.log.rejection(error.detail)
        if isinstance(error, WrongComment):
            return error.response()
        problem = error.problem()
        problem["request_id"] = request.request_id.decode()
        if request.traceparent is not None:
            problem["traceparent"] = request.traceparent.decode()
        if request.path.startswith(names.V2_SERVER):
            problem["error"] = error.detail  # the member that the protocol's clients show
        headers = tuple((name.encode(), value.encode()) for name, value in error.headers)
        return Response(orjson.dumps(problem), _PROBLEM, error.status, headers)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start the runtime before BentoML's application, stop it after."""
        startup = await receive()
        try:
            await self._runtime.start()
        except Exception as error:
            if not isinstance(error, (ArtifactError, OSError)):
                logger.exception("The start failed")
            await self._runtime.stop()
            await send({"type": "lifespan.startup.failed", "message": f"nlpserve: {error}"})
            return
        self._routes = build_routes(self._runtime, self._inner_openapi)
        messages = [startup]

        async def replay() -> MutableMapping[str, Any]:
            return messages.pop() if messages else await receive()

        async def send_after_stop(message: MutableMapping[str, Any]) -> None:
            if message["type"] != "lifespan.startup.complete":
                await self._runtime.stop()
            await send(message)

        await self._inner(scope, replay, send_after_stop)
