"""No proxy stands between the cluster and who speaks with it; builds keep theirs."""

import subprocess
import urllib.request

import pytest

from k8s.local import addons
from k8s.local.places import PROJECT
from k8s.local.proxy import DIRECT, advice, with_direct, without_proxy

PROXY = "http://proxy.example:3128"
BEHIND = {"PATH": "/bin", "HTTPS_PROXY": PROXY, "http_proxy": PROXY, "NO_PROXY": "intra.example"}


def test_daemons_know_no_proxy():
    assert without_proxy(BEHIND) == {"PATH": "/bin"}


def test_who_asks_the_cluster_goes_past_the_proxy_to_it_alone():
    known = f"intra.example,{DIRECT}"
    assert with_direct(BEHIND) == {**BEHIND, "NO_PROXY": known, "no_proxy": known}
    assert with_direct(with_direct(BEHIND)) == with_direct(BEHIND)
    assert with_direct({})["no_proxy"] == DIRECT


def test_the_advice_works_as_printed():
    said = advice(BEHIND)
    assert said.startswith("past the proxy: ")
    script = f'{said.removeprefix("past the proxy: ")}; echo "$NO_PROXY"; env | grep ^no_proxy='
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    known = f"intra.example,{DIRECT}"
    assert done.stdout.splitlines() == [known, f"no_proxy={known}"]
    assert DIRECT in (PROJECT / "docs" / "local-cluster.md").read_text(encoding="utf-8")
    assert advice(with_direct(BEHIND)) == ""
    assert advice({"NO_PROXY": "intra.example"}) == ""


@pytest.mark.parametrize("address", ["192.168.200.1", "localhost", "kubernetes.default.svc"])
def test_python_too_goes_past_it(address, monkeypatch):
    monkeypatch.setenv("NO_PROXY", DIRECT)
    monkeypatch.setenv("no_proxy", DIRECT)
    assert urllib.request.proxy_bypass_environment(address)


def test_kubectl_is_run_without_it(monkeypatch):
    given = []
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setattr(addons, "program", lambda name: name)
    monkeypatch.setattr(addons, "run", lambda *_, **options: given.append(options["environment"]))
    addons.kubectl("get", "nodes")
    assert "HTTPS_PROXY" not in given[0]
    assert "PATH" in given[0]
