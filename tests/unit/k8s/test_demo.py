"""What the demo leaves behind and what it takes away; all programs are stand-ins."""

import shutil
import subprocess

import pytest

from k8s.local.places import PROJECT, api_server

STAND_IN = """#!/bin/sh
echo "${{0##*/}} $*" >>"{log}"
case "${{0##*/}} $*" in
"make cluster") : >.cluster/kubeconfig ;;
"kubectl config current-context") echo somewhere ;;
"kubectl config view "*) echo "{server}" ;;
"kubectl get namespace kube-system "*) echo "{mark}" ;;
"kubectl get namespaces --selector "*) echo "{labelled}" ;;
"kubectl get namespace "* | "kubectl get service "*) exit "{missing}" ;;
"python3 -m k8s.local tool "*) echo "$4" ;;
esac
"""
PROGRAMS = ("kubectl", "helm", "make", "python3", "python", "k8s/deploy", "k8s/load")


@pytest.fixture
def demo(tmp_path):
    """Runs it in a clone of its own; says what was called, in order."""
    log = tmp_path / "log"
    for name in ("demo", "cluster-at-hand.sh"):
        (tmp_path / "k8s").mkdir(exist_ok=True)
        shutil.copy(PROJECT / "k8s" / name, tmp_path / "k8s" / name)
    (tmp_path / ".cluster").mkdir()
    (tmp_path / "bin").mkdir()

    def run(*words, mark="", labelled="", missing=0, **variables):
        text = STAND_IN.format(
            log=log, mark=mark, labelled=labelled, missing=missing, server=api_server()
        )
        for name in PROGRAMS:
            program = tmp_path / name if "/" in name else tmp_path / "bin" / name
            program.write_text(text, encoding="ascii")
            program.chmod(0o755)
        log.write_text("", encoding="ascii")
        environment = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "HOME": str(tmp_path), **variables}
        command = [tmp_path / "k8s" / "demo", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return log.read_text(encoding="ascii").splitlines()

    run.folder = tmp_path / ".cluster"
    run.marker = run.folder / "demo"
    return run


def up(demo, **more):
    return demo("up", "image.tar", "load.tar", "python", **more)


def local(demo, mark):
    (demo.folder / "kubeconfig").touch()
    demo.marker.write_text(f"{mark}\n", encoding="ascii")


def test_the_cluster_that_it_started_goes_with_it(demo):
    local(demo, "one")
    calls = demo("down", mark="one")
    assert "make cluster-down" in calls
    assert not [line for line in calls if line.startswith("helm")]
    assert not demo.marker.exists()


@pytest.mark.parametrize(
    ("mark", "variables"), [("another", {}), ("one", {"KUBECONFIG": "/named"})]
)
def test_a_cluster_that_it_did_not_start_stays(demo, mark, variables):
    local(demo, "one")
    calls = demo("down", mark=mark, **variables)
    assert "make cluster-down" not in calls
    assert [line for line in calls if line.startswith("helm uninstall nlpserve")]


def test_without_a_cluster_there_is_nothing_to_take_away(demo, tmp_path):
    demo.marker.touch()
    (tmp_path / "bin" / "kubectl").unlink(missing_ok=True)
    script = demo.folder.parent / "k8s" / "demo"
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    assert subprocess.run([script, "down"], env=environment, check=False).returncode == 0
    assert not demo.marker.exists()


@pytest.mark.parametrize("missing", [0, 1])
def test_it_marks_what_was_not_there_before(demo, missing):
    (demo.folder / "kubeconfig").touch()
    calls = up(demo, missing=missing)
    labels = [line for line in calls if line.startswith("kubectl label")]
    wanted = [f"kubectl label namespace {n} nlpserve/demo=made" for n in ("monitoring", "loadtest")]
    assert labels == (wanted if missing else [])


@pytest.mark.parametrize("labelled", ["", "namespace/loadtest", "namespace/monitoring"])
def test_it_takes_away_what_it_marked(demo, labelled):
    (demo.folder / "kubeconfig").touch()
    calls = demo("down", labelled=labelled)
    assert "kubectl delete namespace --selector nlpserve/demo=made" in calls
    prometheus = "kubectl delete --kustomize k8s/addons/prometheus --ignore-not-found"
    assert (prometheus in calls) == (labelled == "namespace/monitoring")
    assert not [line for line in calls if "delete --kustomize k8s/loadtest" in line]
