"""The cluster's certificates, by openssl: two authorities, and a certificate for each part.

The front proxy has an authority of its own: whoever holds a certificate of that one may say on
whose behalf it asks.
"""

import base64
import json
import re
from dataclasses import dataclass
from pathlib import Path

from k8s.local.places import API_SERVICE, CERTIFICATES, DNS_DOMAIN, api_server, node_address
from k8s.local.shell import run

AUTHORITY = CERTIFICATES / "ca.crt"
AUTHORITY_KEY = CERTIFICATES / "ca.key"
FRONT_PROXY_AUTHORITY = CERTIFICATES / "front-proxy-ca.crt"
SERVICE_ACCOUNT_KEY = CERTIFICATES / "service-account.key"
DAYS = "365"
CONTEXT = "nlpserve"
"""Of the kubeconfigs that are written here."""


@dataclass(frozen=True)
class Identity:
    """A certificate to be: its file name and what it says of its holder."""

    name: str
    user: str
    group: str = ""
    addresses: tuple[str, ...] = ()
    """Names and addresses it may serve under; such as `DNS:localhost`."""
    authority: str = "ca"

    @property
    def certificate(self) -> Path:
        return CERTIFICATES / f"{self.name}.crt"

    @property
    def key(self) -> Path:
        return CERTIFICATES / f"{self.name}.key"


API_SERVER = Identity(
    "kube-apiserver",
    "kube-apiserver",
    addresses=(
        *(f"DNS:{name}" for name in ("localhost", "kubernetes", "kubernetes.default")),
        *(f"DNS:kubernetes.default.svc{end}" for end in ("", f".{DNS_DOMAIN}")),
        *(f"IP:{address}" for address in (node_address(1), API_SERVICE, "127.0.0.1")),
    ),
)
KUBELET_CLIENT = Identity("kubelet-client", "kube-apiserver-kubelet-client", "system:masters")
FRONT_PROXY = Identity("front-proxy", "front-proxy-client", authority="front-proxy-ca")
ADMIN = Identity("admin", "kubernetes-admin", "system:masters")
CONTROLLER_MANAGER = Identity("controller-manager", "system:kube-controller-manager")
SCHEDULER = Identity("scheduler", "system:kube-scheduler")
PROXY = Identity("kube-proxy", "system:kube-proxy")
CONTROL_PLANE = (
    API_SERVER, KUBELET_CLIENT, FRONT_PROXY, ADMIN, CONTROLLER_MANAGER, SCHEDULER, PROXY,
)  # fmt: skip


def kubelet(number: int) -> Identity:
    """A node's, for asking and for being asked."""
    name = f"nlpserve-node-{number}"
    addresses = (f"DNS:{name}", f"IP:{node_address(number)}")
    return Identity(f"kubelet-{number}", f"system:node:{name}", "system:nodes", addresses)


def make_authorities() -> None:
    """Once in a cluster's life; what is there stays."""
    CERTIFICATES.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in ("ca", "front-proxy-ca"):
        certificate = CERTIFICATES / f"{name}.crt"
        if not certificate.exists():
            key = CERTIFICATES / f"{name}.key"
            words = [*_request(key), "-out", certificate, "-subj", f"/CN=nlpserve-{name}"]
            run([*words, "-addext", "keyUsage=critical,keyCertSign,digitalSignature"])
    if not SERVICE_ACCOUNT_KEY.exists():
        run(["openssl", "genrsa", "-out", SERVICE_ACCOUNT_KEY, "2048"])


def make(identity: Identity) -> Identity:
    """Its certificate and key, unless they are there."""
    if not identity.certificate.exists():
        group = f"/O={identity.group}" if identity.group else ""
        authority = CERTIFICATES / f"{identity.authority}.crt"
        words = [*_request(identity.key), "-out", identity.certificate]
        words += ["-CA", authority, "-CAkey", authority.with_suffix(".key")]
        words += ["-subj", f"{group}/CN={identity.user}"]
        words += ["-addext", "basicConstraints=critical,CA:false"]
        words += ["-addext", "extendedKeyUsage=clientAuth,serverAuth"]
        if identity.addresses:
            words += ["-addext", f"subjectAltName={','.join(identity.addresses)}"]
        run(words)
    return identity


def _request(key: Path) -> list[str | Path]:
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"]
    return ["openssl", "req", "-x509", *curve, "-keyout", key, "-days", DAYS]


def write_kubeconfig(identity: Identity, path: Path, *, embed: bool = False) -> Path:
    """A kubeconfig for the identity (JSON is YAML); `embed` puts the keys into it."""

    def reference(name: str, file: Path) -> dict[str, str]:
        if not embed:
            return {name: str(file)}
        return {f"{name}-data": base64.b64encode(file.read_bytes()).decode()}

    user = {
        **reference("client-certificate", identity.certificate),
        **reference("client-key", identity.key),
    }
    cluster = {"server": api_server(), **reference("certificate-authority", AUTHORITY)}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "clusters": [{"name": "nlpserve", "cluster": cluster}],
        "users": [{"name": identity.user, "user": user}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": "nlpserve", "user": identity.user}}],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def current_context(path: Path) -> str:
    """A kubeconfig's, ours or one that kind or kubectl wrote as YAML; empty where there is none."""
    if not path.exists():
        return ""
    text = path.read_text(encoding="utf-8")
    found = re.search(r"""^\s*["']?current-context["']?:\s*["']?([^"',\s]*)""", text, re.MULTILINE)
    return found[1] if found else ""
