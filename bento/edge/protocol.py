"""uvicorn's connection, with the hottest requests answered without a task of their own.

A task, its context and five nested coroutines cost as much as reading the request. A `Direct` route
needs none of them: it submits a text and answers when the batch is done. Every other request, and
every other server, takes the ordinary way through ASGI, with the same routes and the same answers.
"""

import time
from typing import ClassVar, Final, Protocol, cast

from uvicorn import Server
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from bento.edge.answers import Answers
from bento.edge.connection import BoundedProtocol
from bento.edge.messages import Direct, Receive, Request, Response, Scope, Send
from bento.lifecycle import Lifecycle
from bento.limits import Limits
from bento.pending import Prediction

CLIENT_GONE: Final = 499
"""nginx's status for a client that closed the connection before its answer."""


class Answering(Protocol):
    """What a connection asks of the application."""

    @property
    def lifecycle(self) -> Lifecycle:
        """State of the process."""

    @property
    def answers(self) -> Answers:
        """How answers are made."""

    @property
    def limits(self) -> Limits:
        """What a request may hold."""

    def direct_route(self, scope: Scope) -> Direct | None:
        """The route of a request that needs no task, if it is one."""

    def check_key(self, request: Request) -> None:
        """Raise Unauthorized."""


class DirectProtocol(BoundedProtocol):
    """One connection. Its class attributes are set by `install`."""

    application: ClassVar[Answering]

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        route = self.application.direct_route(cast("Scope", cycle.scope))
        if route is None:
            super()._start_asgi_task(cycle, app)
        else:
            self.begins(cycle)
            self._answer(cycle, route)

    def _answer(self, cycle: RequestResponseCycle, route: Direct) -> None:
        started = time.perf_counter()
        request = Request(cast("Scope", cycle.scope), cast("Receive", cycle.receive))
        self.application.lifecycle.open_requests += 1
        try:
            self.application.check_key(request)
            route.begin(request, Exchange(self, cycle, request, route, started))
        except Exception as error:  # noqa: BLE001  turned into the answer
            if self.pipeline:
                # To end a request starts the next of the pipeline: from here that would be one
                # recursion for each that is refused, up to Python's limit.
                self.loop.call_soon(self.finish, cycle, request, started, error)
            else:
                self.finish(cycle, request, started, error)

    def abandon(self, request: Request, started: float) -> None:
        """Its client is gone, and nothing was computed for it."""
        self.application.lifecycle.open_requests -= 1
        self.application.answers.count(request, CLIENT_GONE, started)

    def finish(
        self,
        cycle: RequestResponseCycle,
        request: Request,
        started: float,
        answer: Response | Exception,
    ) -> None:
        """Answer, and count."""
        answers = self.application.answers
        self.application.lifecycle.open_requests -= 1
        response = answers.failure(request, answer) if isinstance(answer, Exception) else answer
        answers.count(request, response.status, started)
        send = cast("Send", cycle.send)
        if not answers.write(send, request, response):
            task = self.loop.create_task(answers.send(send, request, response))
            task.add_done_callback(self.tasks.discard)
            self.tasks.add(task)


class Exchange:
    """A request and where its answer goes, as the batcher's Reply.

    It answers within the call, where a future would take a turn of the loop, a context and a
    callback for each. What goes wrong is this connection's alone: the batch has others.
    """

    __slots__ = ("_answered", "_cycle", "_protocol", "_request", "_route", "_started")

    def __init__(
        self,
        protocol: DirectProtocol,
        cycle: RequestResponseCycle,
        request: Request,
        route: Direct,
        started: float,
    ) -> None:
        """`started` is the time of the request's head, by perf_counter."""
        self._protocol = protocol
        self._cycle = cycle
        self._request = request
        self._route = route
        self._started = started
        self._answered = False

    def done(self) -> bool:
        """Whether it has its answer, or nobody who wants one."""
        if not self._answered and self._cycle.disconnected:
            self._answered = True
            self._protocol.abandon(self._request, self._started)
        return self._answered

    def set_result(self, result: list[Prediction], /) -> None:
        """Answer with the predictions."""
        try:
            answer = self._route.respond(self._request, result)
        except Exception as error:  # noqa: BLE001  turned into the answer
            self.set_exception(error)
        else:
            self._finish(answer)

    def set_exception(self, exception: Exception, /) -> None:
        """Answer with the error."""
        self._finish(exception)

    def _finish(self, answer: Response | Exception) -> None:
        self._answered = True
        try:
            self._protocol.finish(self._cycle, self._request, self._started, answer)
        except Exception as error:  # noqa: BLE001  told to the loop, as for any callback
            self._cycle.transport.abort()
            self._protocol.loop.call_exception_handler(
                {"message": "an answer could not be written", "exception": error}
            )


def install(server: Server, application: Answering) -> None:
    """Bound the server's connections and answer direct routes; only httptools' is replaced."""
    if server.config.http_protocol_class is HttpToolsProtocol:
        attributes = {
            "application": application,
            "answers": application.answers,
            "limits": application.limits,
        }
        server.config.http_protocol_class = type("DirectProtocol", (DirectProtocol,), attributes)
