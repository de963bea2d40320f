"""`python -m loadtest rollout` on a real release: short counts, and a count that is not zero."""

import json
import os
import signal
import subprocess
import sys
import time

import kubectl as k
import pytest
from chart_release import named_image

from loadtest.zero_loss import PATCHES
from nlpserve.load_results import Disruption, RolloutResult, Verdict


def command(release, out, *words):
    space = release.namespace.name
    named = os.environ.get("LOAD_IMAGE")
    words = [*words, *(["--image", named] if named else [])]
    return [
        sys.executable, "-m", "loadtest", "rollout", "--model", "intent", "--namespace", space,
        "--load-namespace", space, "--out", str(out), *words,
    ]  # fmt: skip


def environment():
    return {**os.environ, "KUBECONFIG": str(k.kubeconfig())}


def count(release, out, *words):
    """Exit code, what was printed, and the result."""
    done = subprocess.run(
        command(release, out, *words),
        cwd=k.ROOT, env=environment(), capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    file = out / "rollout.json"
    assert file.exists(), done.stderr
    return done, RolloutResult.model_validate_json(file.read_text(encoding="utf-8"))


def nothing_left(release):
    words = ("jobs,pods", "-l", "app.kubernetes.io/component=load", "-o", "name")
    return release.namespace.kubectl("get", *words) == ""


@pytest.mark.parametrize("disruption", Disruption)
def test_the_charts_defaults_lose_nothing(release, tmp_path, disruption):
    before = release.namespace.get("deployment", "demo-nlpserve-intent")["spec"]["replicas"]
    words = ("--requests", "3600", "--seconds", "120", "--disruption", disruption)
    done, result = count(release, tmp_path, *words)
    assert (done.returncode, result.verdict) == (0, Verdict.PASS), done.stdout
    (run,) = result.runs
    assert run.disruption == disruption
    assert run.load.total.answered == run.load.total.sent == 3600
    assert run.disrupted.pods_gone >= 1
    assert f"{disruption} 1/1: 3600 sent, 3600 answered, 0 lost" in done.stdout
    assert "PASS" in (tmp_path / "rollout.md").read_text(encoding="utf-8")
    assert done.stderr == ""  # no progress bar without a terminal
    k.until("the end of the load's pod", lambda: nothing_left(release))
    after = release.namespace.get("deployment", "demo-nlpserve-intent")["spec"]["replicas"]
    assert after == before
    # Helm finds no field in somebody else's hands.
    release.upgrade(models={"emotion": {"enabled": False}}, defaults={"replicas": 3})


def test_helm_test_counts_where_a_release_asks_for_it(release):
    asked = {"enabled": True, "requests": 2700, "seconds": 90, "disruptions": ["delete"]}
    asked |= named_image("LOAD_IMAGE")
    # Two pods: where the only one is deleted, nothing answers until its successor is ready.
    values = {"models": {"emotion": {"enabled": False}}, "defaults": {"replicas": 2}}
    release.upgrade(**values, rolloutTest=asked)
    said = release.test()
    assert "PASS    delete 1/1: 2700 sent, 2700 answered, 0 lost" in said
    k.until("the end of the load's pod", lambda: nothing_left(release))
    assert "rollout" not in release.namespace.kubectl("get", "job,pod", "-o", "name")
    release.upgrade(**values, rolloutTest={"enabled": False})
    left = release.namespace.kubectl("get", "role,rolebinding,serviceaccount", "-o", "name")
    assert "rollout" not in left


SERVE = "python -m bento.serve --host 0.0.0.0"
LATE = f"import os, time; time.sleep(8); os.execvp('python', {SERVE.split()})"
SLOW_START = {"containers": [{"name": "server", "command": ["python", "-c", LATE]}]}
"""By itself a pod can listen before anyone hears that it is there."""


def test_without_a_safeguard_the_count_is_not_zero(release, tmp_path):
    slow = {"spec": {"template": {"spec": SLOW_START}}}
    name = "demo-nlpserve-intent"
    for patch in (slow, *PATCHES["no readiness and startup probe"]):
        release.namespace.kubectl("patch", "deployment", name, "--patch", json.dumps(patch))
    release.namespace.kubectl("rollout", "status", f"deployment/{name}", timeout=120)
    space = f"/api/v1/namespaces/{release.namespace.name}"

    def answers():
        paths = [f"{space}/services/{name}:80/proxy/readyz"] * 10
        return all(k.kubectl("get", "--raw", path) for path in paths)

    k.until("pods without probes to listen all the same", answers, 90)
    done, result = count(
        release, tmp_path,
        "--requests", "4500", "--seconds", "90", "--disruption", "restart",
    )  # fmt: skip
    assert (done.returncode, result.verdict) == (1, Verdict.FAIL), done.stdout
    (run,) = result.runs
    total = run.load.total
    assert total.lost > 0
    assert total.sent == total.answered + total.lost == 4500
    assert total.refused + total.reset + total.unreachable + total.timed_out > 0
    assert run.load.losses


def test_ctrl_c_leaves_nothing_in_the_cluster(release, tmp_path):
    words = command(release, tmp_path, "--requests", "3000", "--seconds", "60")
    words += ["--disruption", "scale-down"]
    with subprocess.Popen(
        words, cwd=k.ROOT, env=environment(), stderr=subprocess.PIPE, text=True
    ) as running:
        k.until("the load's pod", lambda: not nothing_left(release), 180)
        time.sleep(3)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=120)
    assert running.returncode == 130
    assert "the Job is deleted" in said
    k.until("the end of the load's pod", lambda: nothing_left(release))
    spec = release.namespace.get("deployment", "demo-nlpserve-intent")["spec"]
    assert spec["replicas"] == 2
