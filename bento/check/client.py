"""HTTP on one connection: through a Service, all requests of it reach the same pod."""

import http.client
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import urlsplit

JSON_TYPE: Final = "application/json"
TIMEOUT_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.5


class CheckFailed(Exception):
    """The server does not do what is documented; the message says what was expected and found."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401  whatever the server sent
        """The body. Raises CheckFailed when it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise CheckFailed(f"the answer is not JSON: {self.body[:200]!r}") from None


class Client:
    """Speaks to one server; close it, or use it as a context."""

    def __init__(self, url: str, *, key: str = "", context: ssl.SSLContext | None = None) -> None:
        """`url` as far as the host and port. Raises CheckFailed when it is none."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise CheckFailed(f"{url} is no address like http://HOST:PORT")
        self._connection = (
            http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT_SECONDS)
            if parts.scheme == "http"
            else http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=TIMEOUT_SECONDS, context=context
            )
        )
        self._url = url
        self._key = key

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """End the connection; the next request makes another."""
        self._connection.close()

    def get(self, path: str) -> Answer:
        """GET."""
        return self._ask("GET", path, None, {})

    def post(
        self, path: str, body: object, *, media_type: str = JSON_TYPE, with_key: bool = True
    ) -> Answer:
        """POST bytes as they are, anything else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._ask("POST", path, content, {"content-type": media_type}, with_key=with_key)

    def announce(self, path: str, size: int) -> Answer:
        """POST the head of a request with a body of this size, and not the body."""
        headers = {"content-type": JSON_TYPE, "content-length": str(size)}
        answer = self._ask("POST", path, None, headers)
        self.close()
        return answer

    def wait_until_ready(self, path: str, seconds: float) -> None:
        """Ask until the answer is 200. Raises CheckFailed when that takes longer."""
        latest = time.monotonic() + seconds
        while True:
            try:
                found = f"status {self.get(path).status}"
                if found == "status 200":
                    return
            except CheckFailed as error:
                found = str(error)
            if time.monotonic() > latest:
                raise CheckFailed(f"{path} was not ready within {seconds:g} s: {found}")
            time.sleep(POLL_SECONDS)

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
        *,
        with_key: bool = True,
    ) -> Answer:
        if self._key and with_key:
            headers["authorization"] = f"Bearer {self._key}"
        try:
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise CheckFailed(f"{method} {self._url}{path}: {error}") from None
