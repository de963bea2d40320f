"""HTTP sessions that try again, a bounded number of times and with bounded pauses."""

from collections.abc import Sequence

import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse
from urllib3.util import Retry

CONNECT_SECONDS, READ_SECONDS = 10.0, 30.0
RETRIES = 5
LONGEST_PAUSE_SECONDS = 30.0


class _BoundedRetry(Retry):
    """A server's Retry-After is followed, but never for longer than the longest pause."""

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        wanted = super().get_retry_after(response)
        return None if wanted is None else min(wanted, LONGEST_PAUSE_SECONDS)


def retrying_session(statuses: Sequence[int], *, backoff: float = 0.5) -> requests.Session:
    """A session that tries again, RETRIES times at most, without a connection or on `statuses`.

    A Retry-After header sets the pause, else `backoff` seconds doubled with each try. The last
    answer is handed over whatever its status.
    """
    retry = _BoundedRetry(
        total=RETRIES,
        backoff_factor=backoff,
        backoff_max=LONGEST_PAUSE_SECONDS,
        status_forcelist=list(statuses),
        allowed_methods=None,
        raise_on_status=False,
    )
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


def cause(error: requests.RequestException) -> str:
    """The innermost reason in one line; the outer ones repeat the URL."""
    reason: object = error.args[0] if error.args else error
    reason = getattr(reason, "reason", reason)
    return " ".join(str(reason).split()) or type(error).__name__
