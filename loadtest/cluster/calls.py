"""How the API server is called.

Every call is bounded in time and tried again a few times when it was the way to the API server that
failed; what fails after all is a ClusterError that says what was wanted.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import urllib3
from kubernetes.client.exceptions import ApiException

CALL_SECONDS: Final = 15
ATTEMPTS: Final = 5
PAUSE_SECONDS: Final = 1.0
AGAIN: Final = frozenset({0, 429, 500, 502, 503, 504})
"""Statuses of an API server that may answer the next time; 0 is none."""


class ClusterError(Exception):
    """The cluster did not do what was asked; the message says what that was."""

    def __init__(self, message: str, status: int | None = None) -> None:
        """`status` is the API server's, when it answered."""
        super().__init__(message)
        self.status = status


@contextmanager
def told(what: str) -> Iterator[None]:
    """A failure within says what was wanted."""
    try:
        yield
    except ApiException as error:
        said = str(error.body or "").strip()[:300]
        raise ClusterError(f"{what}: {error.status} {error.reason} {said}", error.status) from None
    except urllib3.exceptions.HTTPError as error:
        raise ClusterError(f"{what}: the API server does not answer: {error}") from None


def retried(what: str, call: Callable[[], Any]) -> Any:  # noqa: ANN401
    """For calls that may be made twice."""
    with told(what):
        for _ in range(ATTEMPTS - 1):
            try:
                return call()
            except ApiException as error:
                if error.status not in AGAIN:
                    raise
            except urllib3.exceptions.HTTPError:
                pass
            time.sleep(PAUSE_SECONDS)
        return call()
