"""`plan` and `simulate` from files to exit codes."""

import json
import sys

import pytest
from typer.testing import CliRunner

from loadtest.autoscaling import shapes
from loadtest.autoscaling.simulation import World, simulate
from loadtest.cli import app, main
from loadtest.forecast_commands import autoscaler, read
from nlpserve.autoscale_results import AutoscaleRecord
from nlpserve.autoscaling import Autoscaler, Calibration, ClusterTiming

FACTS = {
    "model": "intent", "capacity": 80, "saturation": 110, "objectiveSeconds": 0.5,
    "objectiveShare": 0.99, "cpuLimit": 1, "cpuRequest": 0.25, "memoryRequestMib": 256,
    "readySeconds": 4, "points": [{"rate": 110, "inFlight": 12, "cpu": 1}], "measuredPods": 4,
}  # fmt: skip
SPIKE = "spike:base=20,peak=200,begins=60,lasts=200"


@pytest.fixture
def facts(tmp_path):
    path = tmp_path / "facts.json"
    path.write_text(json.dumps(FACTS), encoding="utf-8")
    return path


def record(name, seconds=600, **score):
    """A run as the simulator itself would have had it."""
    load = shapes.parse(SPIKE, seconds)
    calibration = Calibration.model_validate(FACTS)
    autoscaler = Autoscaler(mode="cpu", max_replicas=6, cpu_target=0.6)
    outcome = simulate(World(autoscaler, calibration), load.at, seconds)
    return AutoscaleRecord(
        name=name, held_out=True, version="0", commit="c", started="2026-01-01T00:00:00",
        load=load, autoscaler=autoscaler, timing=ClusterTiming(), calibration=calibration,
        seconds=seconds, replicas=outcome.replicas, score=outcome.score.model_copy(update=score),
    )  # fmt: skip


def run(*words):
    return CliRunner().invoke(app, list(map(str, words)))


def failed(monkeypatch, *words):
    """What is said on standard error when the command cannot be run."""
    monkeypatch.setattr(sys, "argv", ["loadtest", *map(str, words)])
    written = []
    monkeypatch.setattr(sys.stderr, "write", written.append)
    assert main() == 2
    return "".join(written)


def test_simulate_tells_the_timeline(facts):
    done = run("simulate", "--shape", SPIKE, "--calibration", facts)
    assert done.exit_code == 0, done.output
    assert "| replica-minutes |" in done.output
    assert "| 0.0 | 20.0 | 2 | 2 |" in done.output  # the chart's minReplicas
    found = json.loads(run("simulate", "--shape", "50", "--calibration", facts, "--json").output)
    assert found["peak"]["expected"] == 2
    assert found["replica_minutes"]["expected"] == pytest.approx(30)


def test_own_values_and_timing_change_what_comes_of_it(facts, tmp_path):
    values = tmp_path / "values.yaml"
    values.write_text("models: {intent: {autoscaling: {maxReplicas: 3}}}", encoding="utf-8")
    words = ("simulate", "--shape", SPIKE, "--calibration", facts, "--json")
    free = json.loads(run(*words).output)
    bound = json.loads(run(*words, "--values", values).output)
    assert free["peak"]["expected"] > bound["peak"]["expected"] == 3
    slow = json.loads(run(*words, "--timing", "syncSeconds=60").output)
    assert slow["score"]["decision_seconds"] > free["score"]["decision_seconds"]
    still = json.loads(run(*words, "--mode", "none").output)
    assert [point["wanted"] for point in still["replicas"]] == [2]


def test_a_shape_can_come_from_a_file(facts, tmp_path):
    shape = tmp_path / "shape.yaml"
    shape.write_text("{shape: {kind: ramp, start: 1, end: 300}, seconds: 300}", encoding="utf-8")
    done = run("simulate", "--shape", shape, "--calibration", facts, "--json")
    assert json.loads(done.output)["peak"]["expected"] > 2


def test_recorded_runs_within_the_aim_end_with_0_and_others_with_1(tmp_path):
    write = lambda name, content: (tmp_path / name).write_text(content.model_dump_json())  # noqa: E731
    write("one.json", record("one"))
    done = run("simulate", "--against", tmp_path)
    assert done.exit_code == 0, done.output
    assert "1 runs, 1 of them held out: 6 and 3 are wanted" in done.stderr
    assert "| one | cpu | yes |" in done.output
    good = record("two").score
    for worse in ({"replica_minutes": good.replica_minutes * 1.25}, {"peak": good.peak + 1}):
        write("two.json", record("two", **worse))
        done = run("simulate", "--against", tmp_path, "--json")
        assert done.exit_code == 1
        assert [entry["within"] for entry in json.loads(done.stdout)] == [True, False]


def test_six_runs_with_three_held_out_are_enough(tmp_path):
    for number in range(6):
        path = tmp_path / f"{number}.json"
        found = record(str(number), seconds=5).model_copy(update={"held_out": number < 3})
        path.write_text(found.model_dump_json(), encoding="utf-8")
    done = run("simulate", "--against", tmp_path)
    assert (done.exit_code, done.stderr) == (0, "")


def test_the_calibrations_own_targets_count_unless_others_are_given(facts, tmp_path):
    small = tmp_path / "small.json"
    one = {"rate": 56, "inFlight": 1, "cpu": 0.1}
    full = {"rate": 110, "inFlight": 12, "cpu": 0.25}
    small.write_text(
        json.dumps(FACTS | {"cpuLimit": 0.25, "points": [one, full]}), encoding="utf-8"
    )
    calibration = read(Calibration, small)
    found = autoscaler(calibration, None, "keda")
    assert (found.cpu_target, found.keda.in_flight) == (pytest.approx(0.1), 1)
    assert found.max_replicas == 10  # the chart's
    values = tmp_path / "values.yaml"
    values.write_text(
        "{defaults: {autoscaling: {cpuPercent: 50}}, models: {intent: {autoscaling: {keda:"
        " {inFlight: 3}}}, other: {}}}",
        encoding="utf-8",
    )
    found = autoscaler(calibration, [values], "keda")
    assert (found.cpu_target, found.keda.in_flight) == (pytest.approx(0.125), 3)


@pytest.mark.parametrize(("limit", "used"), [("500m", 0.5), ("null", 0.25)])
def test_pods_of_another_size_than_the_calibrated_are_refused(
    facts, tmp_path, monkeypatch, limit, used
):
    values = tmp_path / "values.yaml"
    values.write_text(f"defaults: {{resources: {{limits: {{cpu: {limit}}}}}}}", encoding="utf-8")
    simulated, planned = ("--shape", "5", "--calibration"), ("--rate", 5, "--capacity")
    for words in (("simulate", *simulated), ("plan", *planned)):
        said = failed(monkeypatch, *words, facts, "--values", values)
        assert f"may use {used} CPU, and one with 1 was calibrated" in said


def test_what_came_before_is_nothing_unless_it_is_said(facts):
    words = ("simulate", "--shape", "160", "--calibration", facts, "--json", "--seconds", 100)
    alone = json.loads(run(*words).output)
    busy = json.loads(run(*words, "--before", 160).output)
    assert alone["replica_minutes"]["expected"] < busy["replica_minutes"]["expected"]


def test_never_missed_and_never_met_again_are_different_words(facts):
    words = ("--calibration", facts, "--mode", "none", "--seconds", 100)
    assert "again | never missed |" in run("simulate", "--shape", "50", *words).output
    assert "again | never, in some phase |" in run("simulate", "--shape", "900", *words).output


def test_plan_states_its_assumptions(facts):
    done = run("plan", "--rate", 300, "--capacity", facts, "--node-cpu", 8)
    assert done.exit_code == 0, done.output
    assert "| pods | 6 with 50.0 requests/s each |" in done.output
    assert "- Each pod holds 80.0 requests/s" in done.output
    far = run("plan", "--rate", 1_000_000, "--capacity", facts, "--extrapolate", "--mode", "none")
    assert "EXTRAPOLATED" in far.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["simulate", "--shape", "50"], "--calibration"),
        (["simulate", "--shape", "hill:top=5", "--calibration", "FACTS"], "shape: hill:top=5"),
        (["simulate", "--shape", "ramp:start", "--calibration", "FACTS"], "not NAME=NUMBER"),
        (["simulate", "--shape", "50", "--calibration", "/none.json"], "/none.json: No such file"),
        (["simulate", "--shape", "5", "--calibration", "FACTS", "--timing", "x=1"], "syncSeconds"),
        (["simulate", "--shape", "5", "--calibration", "FACTS", "--mode", "magic"], "autoscaler's"),
        (["simulate", "--against", "FOLDER"], "no recorded runs"),
        (["plan", "--rate", "1000000", "--capacity", "FACTS"], "--extrapolate"),
    ],
)
def test_what_cannot_be_computed_is_said(facts, tmp_path, monkeypatch, words, said):
    empty = tmp_path / "empty"
    empty.mkdir()
    words = [{"FACTS": facts, "FOLDER": empty}.get(word, word) for word in words]
    assert said in failed(monkeypatch, *words)


@pytest.mark.parametrize(
    ("text", "second", "rate"),
    [
        ("50", 3, 50),
        ("step:levels=1/2/3", 50, 2),
        ("diurnal:low=1,high=9,period_seconds=100", 50, 9),
    ],
)
def test_shapes_in_one_line(text, second, rate):
    assert shapes.parse(text, 100).at(second) == pytest.approx(rate)
