"""Errors that reach a client.

NlpserveError
├── InvalidRequest (400)      the request cannot be read: malformed JSON, wrong encoding
│   ├── UnprocessableRequest (422)  it can be read, but a field is wrong
│   └── UnsupportedMediaType (415)
├── LimitExceeded (413)       a named limit was passed
│   └── HeadTooLarge (431)
├── NotFound (404), MethodNotAllowed (405), Unauthorized (401)
├── SlowHead, SlowBody (408)  the head or the body did not arrive in time
├── Overloaded (503)          no room in the queue, or no chance to meet the deadline
└── ModelFailed (500)         the model raised on this text
"""

from http import HTTPStatus

from nlpserve.metrics import Rejection

PROBLEM_MEDIA_TYPE = "application/problem+json"


class NlpserveError(Exception):
    """An error with its HTTP status, a short title and a detail for the client."""

    status = 500
    title = "Internal error"
    reason: Rejection | None = None

    def __init__(self, detail: str, *, headers: tuple[tuple[str, str], ...] = ()) -> None:
        """`detail` is sent to the client as it is; it must name the field and the limit."""
        super().__init__(detail)
        self.detail = detail
        self.headers = headers

    @property
    def http_status(self) -> HTTPStatus:
        """The status as the standard library's enumeration."""
        return HTTPStatus(self.status)

    def problem(self) -> dict[str, object]:
        """Members of the RFC 9457 problem object."""
        return {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }


class InvalidRequest(NlpserveError):
    """The request cannot be read."""

    status = 400
    title = "Invalid request"
    reason = Rejection.INVALID


class UnprocessableRequest(InvalidRequest):
    """The request can be read, but a field is missing or wrong."""

    status = 422
    title = "Unprocessable request"


class UnsupportedMediaType(InvalidRequest):
    """The body is of a type that the route does not read."""

    status = 415
    title = "Unsupported media type"


class LimitExceeded(NlpserveError):
    """A limit was passed; the detail names it."""

    status = 413
    title = "Limit exceeded"
    reason = Rejection.TOO_LARGE


class HeadTooLarge(LimitExceeded):
    """The request's headers are too large to be read."""

    status = 431


class NotFound(NlpserveError):
    """No such route or model."""

    status = 404
    title = "Not found"
    reason = Rejection.INVALID


class MethodNotAllowed(NlpserveError):
    """The route answers other methods."""

    status = 405
    title = "Method not allowed"
    reason = Rejection.INVALID

    def __init__(self, method: str, allowed: tuple[str, ...]) -> None:
        """`allowed` goes into the Allow header."""
        names = ", ".join(allowed)
        super().__init__(
            f"{method} is not answered here; use {names}.", headers=(("allow", names),)
        )


class Unauthorized(NlpserveError):
    """No valid API key came with the request."""

    status = 401
    title = "Unauthorized"
    reason = Rejection.UNAUTHORIZED

    def __init__(self) -> None:
        """The same words whatever was wrong, so that nothing can be learned from them."""
        super().__init__(
            "Send a valid key as `Authorization: Bearer KEY` or `X-API-Key: KEY`.",
            headers=(("www-authenticate", "Bearer"),),
        )


class SlowHead(NlpserveError):
    """The head did not arrive in time."""

    status = 408
    title = "Request timeout"
    reason = Rejection.SLOW_HEAD


class SlowBody(NlpserveError):
    """The body did not arrive in time."""

    status = 408
    title = "Request timeout"
    reason = Rejection.SLOW_BODY


class Overloaded(NlpserveError):
    """Shed: the client may try again after the stated number of seconds."""

    status = 503
    title = "Overloaded"

    def __init__(self, detail: str, *, reason: Rejection, retry_after: int = 1) -> None:
        """`retry_after` is in whole seconds, as RFC 9110 wants it."""
        super().__init__(detail, headers=(("retry-after", str(retry_after)),))
        self.reason = reason


class ModelFailed(NlpserveError):
    """The model raised on this text alone; the others of its batch were answered."""

    title = "Model failed"
