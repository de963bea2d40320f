"""Which cluster gets the add-ons; kubectl is a stand-in that writes down what it is asked."""

import pytest

from k8s.local import addons, ordinary
from k8s.local.errors import ClusterError
from k8s.local.places import api_server

STAND_IN = """#!/bin/sh
echo "$*" >>"{log}"
case "$*" in *"config view"*) echo "mine {server}" ;; esac
"""


@pytest.fixture
def kubectl(tmp_path, monkeypatch):
    """Puts it on PATH, in front of a cluster at that address; what it was asked."""
    log, local = tmp_path / "log", tmp_path / "local"
    log.touch()
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setattr(ordinary, "KUBECONFIG", local)
    monkeypatch.setattr(addons, "fetch_upstream", lambda _: None)

    def answer(server):
        program = tmp_path / "kubectl"
        program.write_text(STAND_IN.format(log=log, server=server), encoding="ascii")
        program.chmod(0o755)
        return lambda: log.read_text(encoding="ascii").splitlines()

    answer.local = local
    return answer


def test_without_more_it_is_the_users(kubectl, capsys):
    asked = kubectl("https://api.example")
    ordinary.install(["prometheus"])
    assert not [line for line in asked() if "--kubeconfig" in line]
    assert [line for line in asked() if line.startswith("apply --server-side")]
    assert "on the cluster of context mine" in capsys.readouterr().err


def test_a_kubeconfig_of_make_cluster_comes_before_the_users(kubectl):
    kubectl.local.touch()
    asked = kubectl("https://127.0.0.1:40123")
    ordinary.install(["prometheus"])
    assert all(line.startswith(f"--kubeconfig {kubectl.local} ") for line in asked())


def test_what_is_named_comes_first(kubectl, monkeypatch):
    kubectl.local.touch()
    monkeypatch.setenv("KUBECONFIG", "/named")
    asked = kubectl("https://api.example")
    ordinary.install(["prometheus"])
    assert not [line for line in asked() if "--kubeconfig" in line]


def test_the_local_cluster_is_left_to_make_cluster(kubectl):
    kubectl.local.touch()
    asked = kubectl(api_server())
    with pytest.raises(ClusterError, match="make cluster"):
        ordinary.install(["prometheus"])
    assert not [line for line in asked() if "apply" in line]
