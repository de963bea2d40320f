"""Calibration beside a release, and both kinds of autoscaler from one pod to more and back."""

import json
import os
import subprocess
import sys

import kubectl as k
import pytest
import yaml

from nlpserve.autoscale_results import AutoscaleRecord
from nlpserve.autoscaling import Calibration

SHORT = {
    "scaleUp": {
        "stabilizationWindowSeconds": 0,
        "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
    },
    "scaleDown": {
        "stabilizationWindowSeconds": 15,
        "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
    },
}
"""The chart waits five minutes before it takes pods away; a test cannot."""
PROMETHEUS = "http://prometheus.monitoring:9090"
POD = {
    "model": "emotion", "capacity": 25, "saturation": 32, "objectiveSeconds": 1,
    "objectiveShare": 0.95, "cpuLimit": 0.2, "cpuRequest": 0.05, "memoryRequestMib": 256,
    "readySeconds": 20, "points": [{"rate": 25, "inFlight": 2, "cpu": 0.18}],
}  # fmt: skip
"""Roughly; what is asserted does not depend on it."""


def loadtest(*words):
    image = os.environ.get("LOAD_IMAGE")
    done = subprocess.run(
        [sys.executable, "-m", "loadtest", *words, *(("--image", image) if image else ())],
        cwd=k.ROOT, env={**os.environ, "KUBECONFIG": str(k.kubeconfig())},
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def nothing_left(release, component):
    words = ("jobs,pods", "-l", f"app.kubernetes.io/component={component}", "-o", "name")
    return release.namespace.kubectl("get", *words) == ""


def test_a_quick_calibration_becomes_values_that_helm_takes(release, tmp_path):
    release.upgrade("intent")
    before = release.namespace.get("endpointslices")["items"]
    out = tmp_path / "intent.yaml"
    space = release.namespace.name
    loadtest(
        "calibrate", "--model", "intent", "--form", "quick", "--namespace", space,
        "--load-namespace", space, "--start-rate", "60", "--out", str(out),
    )  # fmt: skip
    for component in ("calibration", "load"):
        k.until(f"the end of {component}", lambda: nothing_left(release, component))  # noqa: B023
    # Production has not changed, and its Service never saw the copy.
    after = release.namespace.get("endpointslices")["items"]
    assert [e["endpoints"] for e in after] == [e["endpoints"] for e in before]
    values = yaml.safe_load(out.read_text(encoding="utf-8"))["models"]["intent"]
    facts = Calibration.model_validate_json(out.with_suffix(".json").read_text(encoding="utf-8"))
    assert 0 < values["capacity"] <= facts.saturation
    release.upgrade("intent", "--values", out)
    deployment = release.get("deployment", "intent")
    (server,) = deployment["spec"]["template"]["spec"]["containers"]
    environment = {entry["name"]: entry.get("value") for entry in server["env"]}
    assert environment["NLPSERVE_QUEUE_LIMIT"] == str(values["batching"]["queueLimit"])
    assert server["resources"]["requests"]["cpu"] == values["resources"]["requests"]["cpu"]


@pytest.mark.parametrize("mode", ["cpu", "keda"])
def test_pods_come_with_the_load_and_go_with_it(release, tmp_path, mode):
    release.upgrade(
        "emotion",
        autoscaling={
            "mode": mode, "minReplicas": 1, "maxReplicas": 3, "behavior": SHORT,
            "keda": {"serverAddress": PROMETHEUS, "inFlight": 1, "fallback": {"replicas": 1}},
        },
    )  # fmt: skip
    facts = tmp_path / "pod.json"
    facts.write_text(json.dumps(POD), encoding="utf-8")
    scenario = tmp_path / "spike.yaml"
    shape = {"kind": "spike", "base": 2, "peak": 40, "begins": 5, "lasts": 85}
    scenario.write_text(
        json.dumps({
            "name": "spike",
            "target": {"model": "emotion", "namespace": release.namespace.name},
            "load": {"model": "open", "shape": shape, "seconds": 95},
        }),
        encoding="utf-8",
    )  # fmt: skip
    loadtest(
        "scorecard", str(scenario), "--calibration", str(facts), "--after", "120",
        "--load-namespace", release.namespace.name, "--out", str(tmp_path),
    )  # fmt: skip
    record = AutoscaleRecord.model_validate_json((tmp_path / f"spike-{mode}.json").read_text())
    assert record.autoscaler.mode == mode
    assert record.score.peak > 1
    assert record.replicas[-1].wanted == 1
    assert record.score.decision_seconds < record.score.ready_seconds
    assert record.score.requests == sum(each.meant for each in record.counts)
    assert (tmp_path / f"spike-{mode}.svg").exists()
    k.until("the end of the load's pod", lambda: nothing_left(release, "load"))
