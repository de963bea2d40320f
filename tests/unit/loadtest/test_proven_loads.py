"""The tables of docs/load-testing.md come from the committed results."""

import json

import pytest
from typer.testing import CliRunner

from loadtest.proven_loads import app
from nlpserve.load_results import Verdict
from nlpserve.load_tests import Reason, ReasonCode
from nlpserve.pages import BEGIN, END
from tests.unit.loadtest.sample_result import make_result

RUNNER = CliRunner()


def named(scenario, **more):
    result = make_result(**more)
    return result.model_copy(
        update={"scenario": result.scenario.model_copy(update={"name": scenario})}
    )


@pytest.fixture
def folder(tmp_path):
    slow = named("origin-1000", verdict=Verdict.INVALID, stall=True)
    reason = Reason(code=ReasonCode.WORKER_CPU, text="a worker used 95 % of its CPU")
    runs = {
        "queue/origin-1000": named("origin-1000"),
        "defaults/origin-1000": slow.model_copy(update={"reasons": [reason]}),
        "queue/ten-thousand": named("ten-thousand"),
    }
    for name, result in runs.items():
        path = tmp_path / "out" / name / "result.json"
        path.parent.mkdir(parents=True)
        path.write_text(result.model_dump_json(), encoding="utf-8")
    assert RUNNER.invoke(app, ["collect", *folders(tmp_path)]).exit_code == 0
    return tmp_path


def folders(path):
    return str(path / "out"), str(path / "results")


def fill(folder, *more):
    page = folder / "page.md"
    if not page.exists():
        marks = (mark.format(part) for part in ("cost", "shown", "origin") for mark in (BEGIN, END))
        page.write_text("\n".join(marks), encoding="utf-8")
    done = RUNNER.invoke(app, ["page", str(page), str(folder / "results"), *more])
    return done.exit_code, page.read_text(encoding="utf-8")


def test_collecting_leaves_out_what_only_reports_draw(folder):
    names = {path.name for path in (folder / "results").iterdir()}
    assert names == {
        "queue--origin-1000.json",
        "defaults--origin-1000.json",
        "queue--ten-thousand.json",
    }
    kept = json.loads((folder / "results" / "queue--ten-thousand.json").read_bytes())
    whole = json.loads((folder / "out" / "queue" / "ten-thousand" / "result.json").read_bytes())
    assert kept["hold"] == whole["hold"]
    assert kept["workers"] == whole["workers"]
    assert [row["sockets"] for row in kept["timeline"]] == [
        row["sockets"] for row in whole["timeline"]
    ]
    assert whole["prometheus"]
    assert not kept["prometheus"]


def test_the_page_is_filled_and_checked(folder):
    assert fill(folder, "--check")[0] == 1
    assert fill(folder)[0] == 0
    code, text = fill(folder, "--check")
    assert code == 0
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    (ten,) = (line for line in rows if line.startswith("| ten-thousand | queue"))
    assert "| queue | 200 |" in ten
    assert "| 0 |" in ten
    assert ten.endswith("| **PASS** |")
    assert "- origin-1000, defaults: a worker used 95 % of its CPU" in text


def test_losses_are_named_and_stand_beside_the_origin(folder):
    _, text = fill(folder)
    (bad,) = (line for line in text.splitlines() if "**INVALID**" in line)
    assert "50 shed" in bad
    beside = text[text.index(BEGIN.format("origin")) :].splitlines()
    places = [place for place, line in enumerate(beside) if "nlpserve" in line]
    theirs = next(place for place, line in enumerate(beside) if "FastAPI" in line)
    assert places[0] > theirs
    ours = {line.split(" | ")[0]: line for line in beside if "nlpserve" in line}
    assert ours["| nlpserve, queue"].split(" | ")[3] == "0.0 %"
    shed = ours["| nlpserve, defaults"].split(" | ")
    assert ", answered " in shed[2]
    assert shed[3] != "0.0 %"
