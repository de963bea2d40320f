"""Waits for the cluster's parts, each for a bounded time, noticing at once when one has died."""

import http.client
import json
import socket
import ssl
import time
import urllib.request
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from k8s.local import processes
from k8s.local.certificates import ADMIN, AUTHORITY
from k8s.local.errors import StartFailed
from k8s.local.places import DNS_SERVICE, LOGS, api_server


def wait(what: str, ready: Callable[[], bool], watched: Iterable[str], seconds: float = 60) -> None:
    """Until `ready`. Raises StartFailed when a watched process ends, or after `seconds`."""
    names = tuple(watched)
    deadline = time.monotonic() + seconds
    while not ready():
        for name in processes.dead(names):
            raise StartFailed(f"{name} ended while {what} was awaited", LOGS / f"{name}.log")
        if time.monotonic() > deadline:
            log = LOGS / f"{names[-1]}.log" if names else None
            raise StartFailed(f"{what} did not come within {seconds:.0f} s", log)
        time.sleep(0.2)


def ask(path: str, *, seconds: float = 5) -> bytes | None:
    """The API server's answer to a GET by the administrator; None when it has none yet.

    Nor has it one while the certificates are missing, as when a start was cut short.
    """
    try:
        context = ssl.create_default_context(cafile=str(AUTHORITY))
        context.load_cert_chain(ADMIN.certificate, ADMIN.key)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        with opener.open(f"{api_server()}{path}", timeout=seconds) as answer:
            content: bytes = answer.read()
    except (OSError, http.client.HTTPException):
        return None
    return content


def api_ready() -> bool:
    return ask("/readyz") == b"ok"


def ready_nodes() -> dict[str, bool]:
    """Name → whether the node says it is ready; one that was killed says so for a while yet."""
    answer = ask("/api/v1/nodes")
    if answer is None:
        return {}
    return {
        node["metadata"]["name"]: any(
            condition["type"] == "Ready" and condition["status"] == "True"
            for condition in node["status"].get("conditions", ())
        )
        for node in json.loads(answer)["items"]
    }


def beating_nodes(since: float) -> set[str]:
    """Nodes whose kubelet renewed its lease after `since`, in seconds since 1970."""
    answer = ask("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases")
    leases = json.loads(answer)["items"] if answer else []
    times = {lease["metadata"]["name"]: lease["spec"].get("renewTime") for lease in leases}
    return {
        name
        for name, renewed in times.items()
        if renewed and datetime.fromisoformat(renewed).timestamp() >= since
    }


def dns_listens() -> bool:
    """Whether a connection through the DNS service's address reaches a server."""
    try:
        socket.create_connection((DNS_SERVICE, 53), timeout=1).close()
    except OSError:
        return False
    return True


def answers(path: Path) -> bool:
    """Whether somebody listens on a Unix socket; a dead process leaves the file behind."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True
