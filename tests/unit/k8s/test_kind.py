"""What kind and kubectl are asked; both are stand-ins that write it down."""

import json
import subprocess

import pytest

from k8s.local import addons, kind
from k8s.local.places import PROJECT

STAND_IN = """#!/bin/sh
echo "${{0##*/}} $*" >> {log}
[ "$1 $2" = "get clusters" ] && echo "{existing}"
[ "$1" = create ] && cat > {folder}/configuration.json
exit 0
"""


@pytest.fixture
def asked(tmp_path, monkeypatch, request):
    """The lines that kind and kubectl were called with."""
    log = tmp_path / "log"
    log.touch()
    for name in ("kind", "kubectl"):
        program = tmp_path / name
        existing = getattr(request, "param", "")
        text = STAND_IN.format(log=log, folder=tmp_path, existing=existing)
        program.write_text(text, encoding="ascii")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(addons, "fetch_upstream", lambda _: None)
    return lambda: log.read_text(encoding="utf-8").splitlines()


def test_makes_as_many_nodes_as_asked_and_installs_the_addons(asked, tmp_path):
    kind.up(3, ["metrics-server", "prometheus"])
    roles = json.loads((tmp_path / "configuration.json").read_text(encoding="utf-8"))["nodes"]
    assert [node["role"] for node in roles] == ["control-plane", "worker", "worker"]
    lines = asked()
    assert lines[1].startswith("kind create cluster --name nlpserve --config -")
    assert sum("apply --server-side -k" in line for line in lines) == 2
    patch = next(place for place, line in enumerate(lines) if "--kubelet-insecure-tls" in line)
    waits = [place for place, line in enumerate(lines) if "--for=condition=Available" in line]
    assert len(waits) == 2
    assert patch < min(waits), "metrics-server is never available before it trusts the kubelets"


@pytest.mark.parametrize("asked", ["other\nnlpserve"], indirect=True)
def test_leaves_a_cluster_that_is_there(asked):
    kind.up(1, [])
    assert asked() == ["kind get clusters"]


@pytest.mark.parametrize(
    ("left", "stays"), [('current-context: ""\n', False), ("current-context: other\n", True)]
)
def test_down_deletes_it_with_an_empty_kubeconfig(asked, tmp_path, monkeypatch, left, stays):
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(left, encoding="ascii")
    monkeypatch.setattr(kind, "KUBECONFIG", kubeconfig)
    kind.down()
    assert asked()[0].startswith("kind delete cluster --name nlpserve")
    assert kubeconfig.exists() == stays


@pytest.mark.parametrize("command", [["cluster", "up"], ["cluster-down", "down"]])
def test_make_passes_the_provider_on(command):
    target, word = command
    words = ["make", "--dry-run", target, "PROVIDER=kind"]
    done = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert f"k8s.local {word}" in done.stdout
    assert '--provider "kind"' in done.stdout
