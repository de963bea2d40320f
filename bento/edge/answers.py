"""From what a route gave or raised to the answer: headers, problem documents, counts, log lines."""

import logging
import time
from collections.abc import MutableMapping
from typing import Any, Final

import orjson

from bento.edge.direct import DirectWriter, Headers
from bento.edge.messages import Request, Response, Scope, Send
from bento.edge.origin import WrongComment
from bento.edge.problem_log import ProblemLog
from bento.runtime import Runtime
from nlpserve import routes as names
from nlpserve.errors import PROBLEM_MEDIA_TYPE, NlpserveError
from nlpserve.metrics import Rejection

logger = logging.getLogger("nlpserve.requests")

_PROBLEM: Final = PROBLEM_MEDIA_TYPE.encode()
_SHED: Final = {Rejection.QUEUE_FULL, Rejection.DEADLINE, Rejection.EXPIRED}
REST_SECONDS: Final = 1.0
"""How long nothing is read of a connection whose request was shed: the least that Retry-After says.
Clients who come again at once would leave the model no time."""
_NO_REQUEST: Final[Scope] = {"method": "", "path": "", "query_string": b"", "headers": ()}


class Answers:
    """Makes and writes the answers of one process."""

    def __init__(self, runtime: Runtime) -> None:
        """Counts go to the runtime's metrics."""
        self._runtime = runtime
        self._writer = DirectWriter()
        self._log = ProblemLog()

    def failure(self, request: Request, error: Exception) -> Response:
        """The answer to a request that failed, logged and counted."""
        if isinstance(error, NlpserveError):
            return self.problem(request, error)
        logger.error("request_id=%s failed", request.request_id.decode(), exc_info=error)
        return self.problem(request, NlpserveError("The server failed; see its log."))

    def problem(self, request: Request, error: NlpserveError) -> Response:
        """Log and count the error, and say it to the client."""
        runtime = self._runtime
        runtime.metrics.rejected[request.model, error.reason or Rejection.FAILED] += 1
        request.shed = error.reason in _SHED
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

    def refusal(self, error: NlpserveError, defaults: Headers) -> bytes:
        """The answer to what never became a request, logged and counted as one."""
        request = Request(_NO_REQUEST, _receive_nothing)
        response = self.problem(request, error)
        self.count(request, response.status, time.perf_counter())
        headers = self._headers(request, response)
        return self._writer.encode(response.status, defaults, headers, response.body)

    def count(self, request: Request, status: int, started: float) -> None:
        """Count an answered request; probes are not counted."""
        if request.route not in names.PROBES:
            seconds = time.perf_counter() - started
            self._runtime.metrics.observe_request(request.model, request.route, status, seconds)

    def write(self, send: Send, request: Request, response: Response) -> bool:
        """Write the answer in one piece; False when it has to go through `send`."""
        headers = self._headers(request, response)
        rest = REST_SECONDS if request.shed else 0
        return self._writer.write(send, response.status, headers, response.body, rest)

    async def send(self, send: Send, request: Request, response: Response) -> None:
        """Send the answer as ASGI messages."""
        headers = self._headers(request, response)
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})

    def _headers(self, request: Request, response: Response) -> Headers:
        return [
            (b"content-type", response.content_type),
            (b"content-length", b"%d" % len(response.body)),
            *self.own(request),
            *response.headers,
        ]

    def own(self, request: Request) -> Headers:
        """Headers of every answer."""
        headers = [(b"x-request-id", request.request_id)]
        if request.traceparent is not None:
            headers.append((b"traceparent", request.traceparent))
        if self._runtime.lifecycle.draining:
            headers.append((b"connection", b"close"))
        return headers


async def _receive_nothing() -> MutableMapping[str, Any]:
    return {"type": "http.disconnect"}
