"""The machine's proxies: builds go through them, nothing that speaks with the cluster does."""

import os
from collections.abc import Mapping

from k8s.local.places import DNS_DOMAIN, NODE_NETWORK, POD_NETWORK, SERVICE_NETWORK, node_address

DIRECT = ",".join(
    (
        # Many programs know addresses and names alone, and no networks.
        *("localhost", "127.0.0.1", node_address(1)),
        *(NODE_NETWORK, POD_NETWORK, SERVICE_NETWORK),
        *(".svc", f".{DNS_DOMAIN}"),
    )
)
"""For NO_PROXY, of who asks the cluster."""


def without_proxy(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment for what speaks with the cluster alone."""
    return {name: text for name, text in given.items() if not name.lower().endswith("_proxy")}


def with_direct(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment in which the cluster is asked directly, and all else through the proxy."""
    known = given.get("NO_PROXY") or given.get("no_proxy") or ""
    if DIRECT not in known:
        known = f"{known},{DIRECT}".lstrip(",")
    return {**given, "NO_PROXY": known, "no_proxy": known}


def advice(given: Mapping[str, str] = os.environ) -> str:
    """What to set so that kubectl and helm reach the cluster; empty where nothing is to be set."""
    proxies = {name for name in given if name.lower() in ("http_proxy", "https_proxy", "all_proxy")}
    if not proxies or with_direct(given) == given:
        return ""
    value = with_direct(given)["NO_PROXY"]
    return f'past the proxy: export NO_PROXY="{value}"; export no_proxy="$NO_PROXY"'
