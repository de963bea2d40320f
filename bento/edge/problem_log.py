"""One log line for each request that was turned away; under overload one a second for them all."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from bento.edge.messages import Request
from nlpserve import routes
from nlpserve.errors import NlpserveError, Overloaded
from nlpserve.metrics import Rejection

logger = logging.getLogger("nlpserve.requests")

SHED_SECONDS: Final = 1.0
"""Requests shed for one reason get one line in this time: a line for each would cost more than the
answer, at the very moment when there is no time for it. The counters hold the exact number."""


class ProblemLog:
    """Writes the lines. Never a text of a client's."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._clock = clock
        self._last: dict[Rejection | None, float] = {}
        self._silent: Counter[Rejection | None] = Counter()

    def write(self, request: Request, error: NlpserveError) -> None:
        """Log the error, unless it is one of many that were shed."""
        others = ""
        if isinstance(error, Overloaded):
            now = self._clock()
            if now - self._last.get(error.reason, -SHED_SECONDS) < SHED_SECONDS:
                self._silent[error.reason] += 1
                return
            self._last[error.reason] = now
            if silent := self._silent.pop(error.reason, 0):
                others = f" ({silent} more for this reason since the last line)"
        logger.warning(
            "request_id=%s traceparent=%s route=%s status=%d %s%s",
            request.request_id.decode(),
            request.traceparent.decode() if request.traceparent else "-",
            request.route or routes.UNMATCHED,
            error.status,
            error.detail,
            others,
        )
