"""Kinds of a cluster, from a server that speaks like the API server's discovery."""

import http.server
import json
import threading

import pytest

from bento.check.client import CheckFailed, Client
from bento.check.kinds import cluster_client, missing_kinds

KNOWN = {"/apis/keda.sh/v1alpha1": ["ScaledObject", "ScaledJob"], "/apis/empty/v1": []}


class Discovery(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.headers["authorization"] != "Bearer token":
            status, content = 403, {"kind": "Status"}
        elif self.path in KNOWN:
            resources = [{"kind": kind} for kind in KNOWN[self.path]]
            status, content = 200, {"kind": "APIResourceList", "resources": resources}
        else:
            status, content = 404, {"kind": "Status"}
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def url():
    with http.server.HTTPServer(("127.0.0.1", 0), Discovery) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def client(url):
    with Client(url, key="token") as client:
        yield client


def test_known_kinds_are_not_missing(client):
    assert missing_kinds(client, ["keda.sh/v1alpha1/ScaledObject"]) == []


def test_a_group_a_version_or_a_kind_that_is_not_there_is_missing(client):
    wanted = [
        "keda.sh/v1alpha1/ScaledObject",
        "keda.sh/v2/ScaledObject",
        "keda.sh/v1alpha1/Other",
        "empty/v1/Thing",
        "none/v1/Thing",
    ]
    assert missing_kinds(client, wanted) == wanted[1:]


def test_a_refusal_is_not_taken_for_missing(url):
    with Client(url, key="other") as client, pytest.raises(CheckFailed, match="status 403"):
        missing_kinds(client, ["keda.sh/v1alpha1/ScaledObject"])


def test_outside_a_pod_there_is_no_cluster(monkeypatch, tmp_path):
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(CheckFailed, match="no pod"):
        cluster_client(tmp_path)


def test_a_pod_without_a_token_asks_nobody(monkeypatch, tmp_path):
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    with pytest.raises(CheckFailed, match="no pod"):
        cluster_client(tmp_path)


@pytest.mark.parametrize("url", ["localhost:3000", "ftp://localhost", "http://"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(CheckFailed, match="no address"):
        Client(url)
