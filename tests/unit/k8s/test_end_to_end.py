"""Which cluster the end-to-end tests take for the local one, and which images they bring there."""

import json
import sys

import pytest

from k8s.local.places import PROJECT

LOCAL = ("nlpserve", "https://192.168.200.1:6443")
KIND = ("kind-nlpserve", "https://127.0.0.1:40123")
CLOUD = ("cloud", "https://api.example")


@pytest.fixture
def modules(monkeypatch):
    """tests/e2e's own, for this test alone."""
    monkeypatch.syspath_prepend(PROJECT / "tests" / "e2e")
    names = ("kubectl", "chart_release")
    loaded = [__import__(name) for name in names]
    yield loaded
    for name in names:
        del sys.modules[name]


@pytest.fixture
def cluster(modules, monkeypatch, tmp_path):
    """Says what the local kubeconfig and KUBECONFIG name."""
    k, release = modules
    kubectl = tmp_path / "kubectl"
    # "$2" is the kubeconfig, which holds here what kubectl would find in it.
    kubectl.write_text('#!/bin/sh\nexec cat "$2"\n', encoding="ascii")
    kubectl.chmod(0o755)
    monkeypatch.setattr(k, "program", lambda _: str(kubectl))
    local = tmp_path / "local"
    monkeypatch.setattr(k, "LOCAL_KUBECONFIG", local)
    for name in ("IMAGE", "LOAD_IMAGE"):
        monkeypatch.delenv(name, raising=False)

    def have(there, asked):
        local.write_text(" ".join(there), encoding="ascii")
        (tmp_path / "asked").write_text(" ".join(asked), encoding="ascii")
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "asked"))
        return k, release

    return have


@pytest.mark.parametrize(
    ("there", "asked", "local"),
    [
        (LOCAL, LOCAL, True),
        (KIND, KIND, False),
        (LOCAL, KIND, False),
        (LOCAL, CLOUD, False),
        (LOCAL, ("nlpserve", "https://api.example"), False),
    ],
)
def test_only_the_local_cluster_may_be_killed_and_removed(cluster, there, asked, local):
    k, _ = cluster(there, asked)
    assert k.is_local() == local
    assert k.context() == asked[0]


def test_without_a_kubeconfig_there_is_no_context(cluster, tmp_path, monkeypatch):
    k, _ = cluster(LOCAL, LOCAL)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    assert k.context() == ""
    assert not k.is_local()


@pytest.mark.parametrize("asked", [LOCAL, KIND])
def test_archives_are_made_and_brought(cluster, asked, monkeypatch, tmp_path):
    _, release = cluster(asked, asked)
    made = []
    monkeypatch.setattr(release, "make", lambda *words: made.append(words))
    root = tmp_path / "root"
    (root / "k8s").mkdir(parents=True)
    script = root / "k8s" / "load"
    script.write_text(f'#!/bin/sh\necho "$KUBECONFIG $1" >{tmp_path}/loaded\n', encoding="ascii")
    script.chmod(0o755)
    monkeypatch.setattr(release.k, "ROOT", root)
    release.load("image", tmp_path / "image.tar")
    assert made == [("image", f"ARCHIVE={tmp_path}/image.tar")]
    loaded = (tmp_path / "loaded").read_text(encoding="ascii")
    assert loaded == f"{tmp_path}/asked {tmp_path}/image.tar\n"


@pytest.mark.parametrize(("target", "variable"), [("image", "IMAGE"), ("load-image", "LOAD_IMAGE")])
def test_a_cluster_that_pulls_needs_a_name(cluster, target, variable, monkeypatch, tmp_path):
    _, release = cluster(LOCAL, CLOUD)
    monkeypatch.setattr(release, "make", lambda *_: pytest.fail("nothing is to be made"))
    with pytest.raises(pytest.fail.Exception, match=f"say {variable}=repository:tag"):
        release.load(target, tmp_path / "image.tar")
    assert release.named_image(variable) == {}
    monkeypatch.setenv(variable, "registry.example:5000/x:2")
    release.load(target, tmp_path / "image.tar")
    values = {"image": {"repository": "registry.example:5000/x", "tag": "2"}}
    assert release.named_image(variable) == values


def test_a_models_image_is_not_pushed_by_anybody(cluster, tmp_path):
    _, release = cluster(LOCAL, CLOUD)
    with pytest.raises(pytest.skip.Exception, match="context cloud has to pull"):
        release.load("model-image", tmp_path / "model.tar")


def test_a_release_runs_the_named_image(cluster, monkeypatch, tmp_path):
    k, release = cluster(LOCAL, CLOUD)
    monkeypatch.setenv("IMAGE", "registry.example/x:2")
    one = release.Release(k.Namespace("here"), tmp_path)
    monkeypatch.setattr(one, "helm", lambda *words, **_: words)
    words = one.upgrade(models={})
    small = json.loads(words[words.index("--values") + 1].read_bytes())
    assert small["image"] == {"repository": "registry.example/x", "tag": "2"}
    assert small["defaults"] == release.SMALL["defaults"]
