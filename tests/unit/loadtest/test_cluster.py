"""The cluster's client against an API server that fails as they do."""

import http.server
import json
import threading
from contextlib import contextmanager

import pytest
from kubernetes.config import kube_config

from loadtest.cluster import Cluster, ClusterError, access, calls
from loadtest.objects import Pod

JOB = {"metadata": {"name": "load-1", "namespace": "loadtest"}}
POD = Pod("p", "loadtest", "u", True, False, "Running", "", None)
FAILURE = {"kind": "Status", "status": "Failure", "message": "quota exceeded"}


class ApiServer:
    """Gives the replies in order, the last one for ever; notes what was asked."""

    def __init__(self):
        self.replies = [(200, {})]
        self.asked = []


@contextmanager
def listening(server):
    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self):
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            server.asked.append((self.command, self.path, body))
            status, content = server.replies[0]
            del server.replies[: len(server.replies) > 1]
            plain = isinstance(content, str)
            data = content.encode() if plain else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain" if plain else "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815  http.server's names

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        thread = threading.Thread(target=listener.serve_forever)
        thread.start()
        yield listener.server_address[1]
        listener.shutdown()
        thread.join()


def kubeconfig(path, port):
    content = {
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [
            {"name": "c", "context": {"cluster": "c", "user": "u", "namespace": "models"}},
            {"name": "bare", "context": {"cluster": "c", "user": "u"}},
        ],
    }  # fmt: skip
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


@pytest.fixture
def api(tmp_path, monkeypatch):
    server = ApiServer()
    monkeypatch.setattr(calls, "PAUSE_SECONDS", 0)
    with listening(server) as port:
        monkeypatch.setenv("KUBECONFIG", kubeconfig(tmp_path / "config", port))
        yield server


def test_the_contexts_namespace_is_the_default(api):
    assert Cluster().namespace == "models"
    assert Cluster("bare").namespace == "default"


def test_the_local_cluster_comes_before_the_users_and_after_what_is_named(tmp_path, monkeypatch):
    named, local = kubeconfig(tmp_path / "named", 1), tmp_path / "local"
    users = tmp_path / ".kube" / "config"
    users.parent.mkdir()
    for file, name in ((local, "local"), (users, "users")):
        file.write_text((tmp_path / "named").read_text().replace('"c"', f'"{name}"'))
    monkeypatch.setattr(access, "LOCAL_KUBECONFIG", local)
    monkeypatch.setattr(access, "POD_TOKEN", tmp_path / "none")
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(users))
    monkeypatch.setenv("KUBECONFIG", named)
    assert Cluster().context == "c"
    monkeypatch.delenv("KUBECONFIG")
    assert Cluster().context == "local"
    local.unlink()
    assert Cluster().context == "users"


def test_no_cluster_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(ClusterError, match="make cluster"):
        Cluster()


def test_a_server_that_is_away_for_a_moment_is_asked_again(api):
    api.replies = [(503, FAILURE), (500, FAILURE), (200, {"metadata": {"name": "loadtest"}})]
    assert Cluster().has_namespace("loadtest")
    assert len(api.asked) == 3


def test_a_server_that_stays_away_is_told_after_a_few_times(api):
    api.replies = [(503, FAILURE)]
    with pytest.raises(ClusterError, match="read namespace loadtest: 503"):
        Cluster().has_namespace("loadtest")
    assert len(api.asked) == calls.ATTEMPTS


def test_what_is_forbidden_is_not_asked_again(api):
    api.replies = [(403, FAILURE)]
    with pytest.raises(ClusterError, match="quota exceeded"):
        Cluster().targets("models", "a=b")
    assert len(api.asked) == 1


def test_a_namespace_is_there_not_there_or_not_ours_to_know(api):
    for status, there in ((200, True), (404, False), (403, True)):
        api.replies = [(status, {} if status == 200 else FAILURE)]
        assert Cluster().has_namespace("loadtest") is there


def test_nodes_that_one_may_not_see_are_no_facts(api):
    words = "buildDate compiler gitCommit gitTreeState gitVersion goVersion major minor platform"
    version = dict.fromkeys(words.split(), "x")
    node = {
        "status": {
            "nodeInfo": dict.fromkeys(
                ("architecture", "bootID", "containerRuntimeVersion", "kernelVersion",
                 "kubeProxyVersion", "kubeletVersion", "machineID", "operatingSystem", "osImage",
                 "systemUUID"), "x",
            ),
            "capacity": {"cpu": "2", "memory": "1Ki"},
        }
    }  # fmt: skip
    api.replies = [(200, version), (403, FAILURE)]
    assert Cluster().facts().nodes == []
    api.replies = [(200, version), (200, {"items": [node]})]
    assert [found.cpus for found in Cluster().facts().nodes] == ["2"]


def test_nobody_listening_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(calls, "PAUSE_SECONDS", 0)
    monkeypatch.setenv("KUBECONFIG", kubeconfig(tmp_path / "config", 1))
    with pytest.raises(ClusterError, match="does not answer"):
        Cluster().has_namespace("loadtest")


def test_a_job_is_made_once_even_when_that_seems_to_fail(api):
    api.replies = [(500, FAILURE)]
    with pytest.raises(ClusterError, match="create Job load-1 in loadtest"):
        Cluster().create_job(JOB)
    assert [(method, body) for method, _, body in api.asked] == [("POST", JOB)]


def test_what_is_gone_already_is_deleted(api):
    api.replies = [(404, FAILURE)]
    Cluster().delete_job("loadtest", "load-1")
    ((method, path, _),) = api.asked
    assert method == "DELETE"
    assert "propagationPolicy=Background" in path
    api.replies = [(403, FAILURE)]
    with pytest.raises(ClusterError):
        Cluster().delete_job("loadtest", "load-1")


def test_a_log_that_cannot_be_read_has_no_lines(api):
    api.replies = [(500, FAILURE)]
    assert Cluster().last_lines(POD, 2) == []
    api.replies = [(200, "one\ntwo\n")]
    assert Cluster().last_lines(POD, 2) == ["one", "two"]
