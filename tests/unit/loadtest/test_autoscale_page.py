"""The measured parts of docs/autoscaling.md come from the recorded runs."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from loadtest.autoscale_page import app
from loadtest.autoscaling import card
from loadtest.cli import app as loadtest
from nlpserve.autoscale_results import AutoscaleRecord, PodCount, Score, SecondCounts
from nlpserve.autoscaling import Autoscaler, Calibration, ClusterTiming
from nlpserve.load_shapes import Profile
from nlpserve.pages import BEGIN, END

ROOT = Path(__file__).parents[3]
RESULTS = ROOT / "docs" / "results" / "autoscale"


def pod(pods, limit, capacity):
    points = [
        {"rate": capacity, "inFlight": 1, "cpu": 0.16, "throttled": 0.25},
        {"rate": capacity * 1.2, "inFlight": 1, "cpu": limit},
    ]
    return Calibration(
        model="emotion", capacity=capacity, saturation=capacity * 1.2, objective_seconds=0.5,
        objective_share=0.99, cpu_limit=limit, cpu_request=0.1, memory_request_mib=256,
        ready_seconds=4, points=points, measured_pods=pods, max_batch_size=64,
    )  # fmt: skip


def record():
    calibration = Calibration(
        model="emotion", capacity=10, saturation=12, objective_seconds=0.5, objective_share=0.99,
        cpu_limit=0.2, cpu_request=0.1, memory_request_mib=256, ready_seconds=4,
        points=[{"rate": 10, "inFlight": 1, "cpu": 0.2}],
    )  # fmt: skip
    return AutoscaleRecord(
        name="steady-cpu", held_out=True, version="0", commit="c" * 40 + " with changes",
        started="2026-01-01T00:00:00", load=Profile.model_validate({"shape": 5, "seconds": 60}),
        autoscaler=Autoscaler(mode="cpu", max_replicas=2, cpu_target=0.12),
        timing=ClusterTiming(), calibration=calibration, seconds=60,
        replicas=[PodCount(second=0, wanted=1, ready=1)],
        score=Score(
            replica_minutes=1, peak=1, out_of_objective_seconds=0, requests=300, failed=0, flaps=0
        ),
    )  # fmt: skip


def test_the_page_is_filled_and_checked(tmp_path):
    (tmp_path / "steady-cpu.json").write_text(record().model_dump_json(), encoding="utf-8")
    (tmp_path / "earlier/first").mkdir(parents=True)
    (tmp_path / "earlier/first/steady-cpu.json").write_text(record().model_dump_json(), "utf-8")
    sizes = tmp_path / "capacity"
    sizes.mkdir()
    other = pod(1, 0.2, 4).model_copy(update={"max_batch_size": 8})
    for number, found in enumerate((other, pod(1, 0.2, 8), pod(2, 0.2, 6), pod(1, 0.4, 20))):
        (sizes / f"{number}.json").write_text(found.model_dump_json(), "utf-8")
    page = tmp_path / "page.md"
    marks = (
        mark.format(part)
        for part in ("cards", "against", "earlier", "capacity", "independent")
        for mark in (BEGIN, END)
    )
    page.write_text("\n".join(marks), encoding="utf-8")
    words = [str(page), str(tmp_path)]
    runner = CliRunner()
    assert runner.invoke(app, [*words, "--check"]).exit_code == 1
    assert runner.invoke(app, words).exit_code == 0
    assert runner.invoke(app, [*words, "--check"]).exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert "|  | steady-cpu |" in text
    assert "| most pods | 1 |" in text
    assert "| steady-cpu | cpu | yes | 1.0 | 1.0 | +0.0% | 1 | 1 | yes |" in text
    assert "| first/steady-cpu | cpu | yes | 1.0 | 1.0 | +0.0% | 1 | 1 | yes |" in text
    assert "one pod of emotion with 0.2 CPU holds 10.0 requests/s" in text
    # Of 20 texts/s by 0.4 CPU a pod of 0.2 would hold ten; two such pods would hold twice eight.
    assert "| 200m | 1 | 64 | 8.0 | 8.0 | 80% | 20.00 ms | 80% | 25% | 6.94 |" in text
    assert "| 200m | 2 | 64 | 6.0 | 12.0 | 75% | 26.67 ms | 80% | 25% | 9.26 |" in text
    assert "| 400m | 1 | 64 | 20.0 | 20.0 | 100% | 8.00 ms | 40% | 25% | 5.56 |" in text
    assert f"- steady-cpu: commit {'c' * 12} with changes, 2026-01-01; one pod" in text


def test_the_card_is_worked_out_again_from_what_was_counted():
    counts = [SecondCounts(second=n, meant=5, answered=5, in_time=5 * (n > 3)) for n in range(60)]
    found = card.again(record().model_copy(update={"counts": counts}))
    assert (found.requests, found.out_of_objective_seconds, found.met_again_seconds) == (300, 4, 4)
    assert (found.over_provisioning, found.shortage) == (0, 0)


RUNS = sorted([*RESULTS.glob("*.json"), *RESULTS.glob("earlier/*/*.json")])


@pytest.mark.parametrize("path", RUNS, ids=lambda path: str(path.relative_to(RESULTS)))
def test_a_recorded_run_adds_up(path):
    found = AutoscaleRecord.model_validate_json(path.read_text(encoding="utf-8"))
    assert found.name == path.stem
    assert found.score.requests == sum(each.meant for each in found.counts)
    ended = sum(each.answered + each.shed + each.lost for each in found.counts)
    assert ended == found.score.requests
    again = card.again(found)
    same = ("replica_minutes", "peak", "decision_seconds", "started_seconds", "failed", "flaps")
    for name in same:
        assert getattr(again, name) == getattr(found.score, name)
    assert max(point.wanted for point in found.replicas) == found.score.peak
    assert path.parent != RESULTS or path.with_suffix(".svg").exists()


def test_the_page_is_what_the_results_say():
    page = ROOT / "docs" / "autoscaling.md"
    done = CliRunner().invoke(app, [str(page), str(RESULTS), "--check"])
    assert done.exit_code == 0, done.output


def test_what_the_page_says_of_the_simulator():
    """The newest series within the aim; of all, the held-out ones within 15 %, and all peaks among
    the forecast ones.
    """
    folders = sorted({path.parent for path in RUNS})
    seen = []
    for folder in folders:
        done = CliRunner().invoke(loadtest, ["simulate", "--against", str(folder), "--json"])
        found = json.loads(done.stdout)
        assert done.exit_code == (0 if all(each["within"] for each in found) else 1)
        assert done.exit_code == 0 or folder != RESULTS
        seen += found
    assert len(seen) == len(RUNS) >= 24
    held_out = [abs(each["error"]) for each in seen if each["held_out"]]
    assert len(held_out) == len(seen) / 2
    assert max(held_out) <= 0.15
    for each in seen:
        least, most = each["forecast_peaks"]
        assert least <= each["recorded_peak"] <= most, each
