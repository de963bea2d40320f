"""uvicorn's connection, with the hottest requests answered without a task of their own.

A task, its context and five nested coroutines cost as much as reading the request. A `Direct` route
needs none of them: it submits a text and answers when the batch is done. Every other request, and
every other server, takes the ordinary way through ASGI, with the same routes and the same answers.
"""

import time
from asyncio import Future
from functools import partial
from typing import ClassVar, Protocol, cast

from uvicorn import Server
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from bento.edge.answers import Answers
from bento.edge.connection import BoundedProtocol
from bento.edge.messages import Direct, Receive, Request, Response, Scope, Send
from bento.lifecycle import Lifecycle
from bento.limits import Limits
from bento.pending import Prediction


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
            self._answer(cycle, route)

    def _answer(self, cycle: RequestResponseCycle, route: Direct) -> None:
        started = time.perf_counter()
        request = Request(cast("Scope", cycle.scope), cast("Receive", cycle.receive))
        lifecycle = self.application.lifecycle
        lifecycle.open_requests += 1
        try:
            self.application.check_key(request)
            future = route.begin(request)
        except Exception as error:  # noqa: BLE001  turned into the answer
            if self.pipeline:
                # To end a request starts the next of the pipeline: from here that would be one
                # recursion for each that is refused, up to Python's limit.
                self.loop.call_soon(self._finish, cycle, request, started, error)
            else:
                self._finish(cycle, request, started, error)
        else:
            future.add_done_callback(partial(self._done, cycle, request, route, started))

    def _done(
        self,
        cycle: RequestResponseCycle,
        request: Request,
        route: Direct,
        started: float,
        future: Future[list[Prediction]],
    ) -> None:
        try:
            answer = route.respond(request, future.result())
        except Exception as error:  # noqa: BLE001  turned into the answer
            self._finish(cycle, request, started, error)
        else:
            self._finish(cycle, request, started, answer)

    def _finish(
        self,
        cycle: RequestResponseCycle,
        request: Request,
        started: float,
        answer: Response | Exception,
    ) -> None:
        answers = self.application.answers
        self.application.lifecycle.open_requests -= 1
        response = answers.failure(request, answer) if isinstance(answer, Exception) else answer
        answers.count(request, response.status, started)
        send = cast("Send", cycle.send)
        if not answers.write(send, request, response):
            task = self.loop.create_task(answers.send(send, request, response))
            task.add_done_callback(self.tasks.discard)
            self.tasks.add(task)


def install(server: Server, application: Answering) -> None:
    """Bound the server's connections and answer direct routes; only httptools' is replaced."""
    if server.config.http_protocol_class is HttpToolsProtocol:
        attributes = {
            "application": application,
            "answers": application.answers,
            "limits": application.limits,
        }
        server.config.http_protocol_class = type("DirectProtocol", (DirectProtocol,), attributes)
