"""The ASGI application: routes, errors, counts. All other modules here are called by this one."""

import asyncio
import logging
import time
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any, Final

from bento.artifacts import ArtifactError
from bento.edge import protocol
from bento.edge.answers import Answers
from bento.edge.body import Disconnected, is_json, parse_json, read_body
from bento.edge.keys import Keys
from bento.edge.messages import (
    JSON,
    ASGIApp,
    Direct,
    Handler,
    Receive,
    Request,
    Response,
    Scope,
    Send,
)
from bento.edge.routing import Routes, build_routes
from bento.edge.v1 import check_native
from bento.pending import ClientLeft
from bento.runtime import Runtime
from nlpserve import routes as names
from nlpserve.errors import (
    MethodNotAllowed,
    UnsupportedMediaType,
)

_NOTHING: Final[dict[str, Handler]] = {}

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
        self.lifecycle = runtime.lifecycle
        self.limits = runtime.limits
        self.answers = Answers(runtime)
        self._routes: Routes = build_routes(runtime, inner_openapi)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection event."""
        if scope["type"] == "http":
            self.lifecycle.open_requests += 1
            try:
                await self._http(scope, receive, send)
            finally:
                self.lifecycle.open_requests -= 1
        elif scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        else:
            await self._inner(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        request = Request(scope, receive)
        response: Response | None
        try:
            self.check_key(request)
            handler = self._handler(request)
            response = (
                await self._hand_on(request, scope, send)
                if handler is None
                else await handler(request)
            )
        except Disconnected:
            return
        except ClientLeft:
            self.answers.count(request, protocol.CLIENT_GONE, started)
            return
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  turned into the answer
            response = self.answers.failure(request, error)
            if request.answered:
                response = None
        self.answers.count(request, response.status if response else request.status, started)
        if response is not None and not self.answers.write(send, request, response):
            await self.answers.send(send, request, response)

    def direct_route(self, scope: Scope) -> Direct | None:
        """The route of a request that needs no task, if it is one."""
        if scope["method"] != "GET":
            return None
        handler = self._routes.exact.get(scope["path"], _NOTHING).get("GET")
        return handler if isinstance(handler, Direct) else None

    def check_key(self, request: Request) -> None:
        """Raise Unauthorized when a key is wanted and none that is valid came."""
        if self._keys.wanted and not self._routes.is_open(request.method, request.path):
            self._keys.check(request)

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
        on: BentoML would also read formats that a stranger should not be able to send. Raises
        ClientLeft when the API method met it.
        """
        body = b""
        if request.method == "POST":
            body = await read_body(request, self.limits)
            if not is_json(request):
                raise UnsupportedMediaType("Send the body as application/json.")
            check_native(parse_json(body, self.limits))
            # The type that was checked: of several, another one might count for BentoML.
            others = [pair for pair in scope["headers"] if pair[0] != b"content-type"]
            scope = {**scope, "headers": [*others, (b"content-type", JSON)]}
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> MutableMapping[str, Any]:
            return messages.pop() if messages else await request.receive()

        async def send_with_headers(message: MutableMapping[str, Any]) -> None:
            if request.error is not None:
                return
            if message["type"] == "http.response.start":
                request.status = message["status"]
                request.answered = True
                message = {**message, "headers": [*message["headers"], *self.answers.own(request)]}
            await send(message)

        token = current_request.set(request)
        try:
            await self._inner(scope, replay, send_with_headers)
        finally:
            current_request.reset(token)
        if isinstance(request.error, ClientLeft):
            raise request.error
        return None if request.error is None else self.answers.problem(request, request.error)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start the runtime before BentoML's application, stop it after."""
        startup = await receive()
        try:
            await self._runtime.start()
        except Exception as error:
            if not isinstance(error, (ArtifactError, OSError)):
                logging.getLogger(__name__).exception("The start failed")
            await self._runtime.stop()
            await send({"type": "lifespan.startup.failed", "message": f"nlpserve: {error}"})
            return
        self._routes = build_routes(self._runtime, self._inner_openapi)
        if self.lifecycle.server is not None:
            protocol.install(self.lifecycle.server, self)
        messages = [startup]

        async def replay() -> MutableMapping[str, Any]:
            return messages.pop() if messages else await receive()

        async def send_after_stop(message: MutableMapping[str, Any]) -> None:
            if message["type"] != "lifespan.startup.complete":
                await self._runtime.stop()
            await send(message)

        await self._inner(scope, replay, send_after_stop)
