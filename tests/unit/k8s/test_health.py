"""What the API server is asked, by a server that stands in for it."""

import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import pytest

from k8s.local import health


class Handler(BaseHTTPRequestHandler):
    answer = b"ok"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_):
        pass


@pytest.fixture
def identity(tmp_path):
    """One certificate: the authority's, the server's and the administrator's."""
    made = SimpleNamespace(certificate=tmp_path / "tls.crt", key=tmp_path / "tls.key")
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    words += ["-nodes", "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"]
    words += ["-out", str(made.certificate), "-keyout", str(made.key)]
    subprocess.run(words, check=True, capture_output=True)
    return made


@pytest.fixture
def api_server(identity, monkeypatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.certificate, identity.key)
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        monkeypatch.setattr(health, "AUTHORITY", identity.certificate)
        monkeypatch.setattr(health, "ADMIN", identity)
        address = f"https://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(health, "api_server", lambda: address)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield
        server.shutdown()
        thread.join()


@pytest.mark.usefixtures("api_server")
def test_it_is_asked_past_every_proxy(monkeypatch):
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # where nobody listens
    assert health.api_ready()


@pytest.mark.usefixtures("api_server")
def test_an_answer_that_breaks_off_is_none(monkeypatch):
    monkeypatch.setattr(Handler, "answer", b"o")
    assert not health.api_ready()


@pytest.mark.usefixtures("api_server")
@pytest.mark.parametrize("missing", ["certificate", "key"])
def test_without_certificates_it_has_not_answered(missing, identity):
    getattr(identity, missing).unlink()
    assert not health.api_ready()
    assert health.ready_nodes() == {}
