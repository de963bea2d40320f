"""How the proofs begin and end; all programs are stand-ins."""

import shutil
import subprocess

import pytest

from k8s.local.places import PROJECT

PROOFS = ("zero-loss", "loadtest", "autoscale", "capacity")
# A signal to the proof, while a program of its runs.
STAND_IN = """#!/bin/sh
echo "${{0##*/}} $*" >>"{log}"
case "${{0##*/}} $*" in
"deploy "*) kill -TERM $PPID ;;
"python3 -m k8s.local tool "*) echo "$4" ;;
esac
"""
PROGRAMS = ("kubectl", "helm", "python3", "python", "k8s/deploy", "k8s/load")


@pytest.fixture
def proof(tmp_path):
    """Runs one in a clone of its own; its outcome, and what was called."""
    log = tmp_path / "log"
    log.touch()
    shutil.copytree(PROJECT / "k8s" / "loadtest", tmp_path / "k8s" / "loadtest")
    shutil.copy(PROJECT / "k8s" / "cluster-at-hand.sh", tmp_path / "k8s")
    (tmp_path / "bin").mkdir()
    for name in PROGRAMS:
        program = tmp_path / name if "/" in name else tmp_path / "bin" / name
        program.write_text(STAND_IN.format(log=log), encoding="ascii")
        program.chmod(0o755)

    def run(part, *words):
        environment = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "KUBECONFIG": "/named"}
        command = [tmp_path / "k8s" / "loadtest" / f"prove-{part}", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done, log.read_text(encoding="ascii").splitlines()

    run.out = tmp_path / "out"
    return run


@pytest.mark.parametrize("part", PROOFS)
def test_a_signal_takes_the_release_away(proof, part):
    done, calls = proof(part, "image.tar", "load.tar", "python")
    assert done.returncode == 130
    sent = next(at for at, line in enumerate(calls) if line.startswith("deploy "))
    after = calls[sent:]
    assert [line for line in after if line.startswith("helm uninstall proof ")]
    assert [line for line in after if line.startswith("kubectl delete namespace nlpserve-proof")]


@pytest.mark.parametrize("part", PROOFS)
def test_without_an_image_what_was_measured_before_stays(proof, part):
    kept = proof.out / part / "kept"
    kept.mkdir(parents=True)
    done, calls = proof(part, "", "load.tar", "python")
    assert done.returncode != 0
    assert "no image was made" in done.stderr
    assert calls == []
    assert kept.exists()


@pytest.mark.parametrize("target", ["proof", "demo", "deploy"])
def test_make_builds_no_image_that_has_a_name(target):
    words = ["make", "--dry-run", target, "PART=zero-loss", "IMAGE=a:1", "LOAD_IMAGE=b:1"]
    done = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert "image)" not in done.stdout
    assert 'IMAGE="a:1"' in done.stdout
