"""What can be known to go wrong before the first request. Raises SpecError."""

import resource
import socket
from contextlib import closing
from typing import Final
from urllib.parse import urlsplit

from loadtest.spec import SpecError
from loadtest.stress.spec import WEB_HOST, StressSpec

CONNECT_SECONDS: Final = 5
SPARE_DESCRIPTORS: Final = 200
"""For files, libraries and Locust's page."""
DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def check(spec: StressSpec) -> None:
    """All of it."""
    _folder(spec)
    _web_port(spec.web_port)
    _descriptors(spec.user_count)
    _target(spec.host)


def _folder(spec: StressSpec) -> None:
    try:
        spec.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SpecError(f"out: {spec.out} cannot be a folder: {error.strerror}") from None


def _web_port(port: int) -> None:
    with closing(socket.socket()) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((WEB_HOST, port))
            listener.listen()
        except OSError as error:
            raise SpecError(
                f"Locust's page cannot listen on {WEB_HOST}:{port}: {error.strerror};"
                " end what listens there, or choose another (--web-port)"
            ) from None


def _descriptors(users: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = users + SPARE_DESCRIPTORS
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        raise SpecError(
            f"{users} users need {wanted} open files and {hard} are allowed: fewer users"
            " (--user-count), or a higher `ulimit -n`"
        ) from None


def _target(host: str) -> None:
    parts = urlsplit(host)
    try:
        address = (parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme])
        socket.create_connection(address, timeout=CONNECT_SECONDS).close()
    except ValueError as error:
        raise SpecError(f"host: {host}: {error}") from None
    except OSError as error:
        raise SpecError(f"nobody answers at {host}: {error}") from None
