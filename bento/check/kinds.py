"""Whether a cluster knows the kinds of objects that a release holds."""

import os
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from bento.check.client import CheckFailed, Client

ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds the token and the API server's certificate authority."""


def cluster_client(account: Path = ACCOUNT) -> Client:
    """Speaks to the API server of the cluster that this pod runs in. Raises CheckFailed."""
    try:
        host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
        token = (account / "token").read_text(encoding="utf-8").strip()
        context = ssl.create_default_context(cafile=str(account / "ca.crt"))
    except (KeyError, OSError) as error:
        raise CheckFailed(f"this is no pod with a service account's token: {error!r}") from None
    host = f"[{host}]" if ":" in host else host
    return Client(f"https://{host}:{port}", key=token, context=context)


def missing_kinds(client: Client, kinds: Iterable[str]) -> list[str]:
    """Those of GROUP/VERSION/KIND that the API server does not serve.

    Raises CheckFailed when it does not say.
    """
    missing = []
    for name in kinds:
        version, _, kind = name.rpartition("/")
        answer = client.get(f"/apis/{version}")
        if answer.status not in (200, 404):
            raise CheckFailed(f"/apis/{version} answered with status {answer.status}")
        resources = answer.json()["resources"] if answer.status == 200 else []
        if kind not in {resource["kind"] for resource in resources}:
            missing.append(name)
    return missing
