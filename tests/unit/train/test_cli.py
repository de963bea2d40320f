import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bento.artifacts import read_artifact
from bento.train import pipeline as pipelines
from bento.train.__main__ import app
from bento.train.code import code_digests
from bento.train.places import Places
from bento.train.steps import Step, check_steps

ROOT = Path(__file__).parents[3]
ROWS = [
    {"intent": "cuisine", "sentence": "la tasse rouge est lavée"},
    {"intent": "gare", "sentence": "le train 3 part du quai"},
]


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(ROWS))
    return path


def call(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_evaluate_prints_one_json_object(artifact, rows):
    result = call("evaluate", "--model", artifact, "--data", rows, "--json")
    assert result.exit_code == 0
    scores = json.loads(result.stdout)
    assert scores["accuracy"] == 1.0
    assert scores["documents"] == 2
    expected = {f"{a}_{m}" for a in ("micro", "macro", "weighted") for m in ("precision", "f1")}
    assert expected | {"micro_recall", "kappa", "ece", "docs_per_s"} <= scores.keys()


def test_evaluate_prints_a_table(artifact, rows):
    result = call("evaluate", "--model", artifact, "--data", rows)
    assert "macro          1.0000   1.0000   1.0000" in result.stdout
    assert "2 documents" in result.stdout


def test_scores_are_saved_in_the_manifest(artifact, rows, tmp_path):
    own = tmp_path / "own"
    shutil.copytree(artifact, own)
    assert call("evaluate", "--model", own, "--data", rows, "--save").exit_code == 0
    assert read_artifact(own).manifest.scores["macro_f1"] == 1.0
    assert read_artifact(artifact).manifest.scores == {}
    wrong = call("evaluate", "--model", own, "--data", rows, "--save", "--url", "http://x")
    assert wrong.exit_code == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"intent": "gare"}]', "error: [row 1 -> sentence] is missing"),
        ('[{"intent": "mer", "sentence": "x"}]', "error: [row 1 -> label] the model has no label"),
        ("{", "is not JSON"),
    ],
)
def test_a_wrong_file_is_one_line(artifact, rows, content, message):
    rows.write_text(content)
    result = call("evaluate", "--model", artifact, "--data", rows)
    assert result.exit_code == 1
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert not result.stdout


def test_exit_codes(tmp_path, rows):
    assert call("evaluate", "--model", tmp_path / "none", "--data", rows).exit_code == 1
    assert call("evaluate", "--model", "m").exit_code == 2
    away = call("evaluate", "--model", "m", "--data", rows, "--url", "http://127.0.0.1:9")
    assert away.exit_code == 3
    assert "does not answer" in away.stderr


def test_a_folder_that_cannot_be_written_is_one_line(pipeline_folder, tmp_path):
    (tmp_path / "file").write_text("")
    result = call(*PACKAGE, "--out", tmp_path / "file/out", "--spacy", pipeline_folder)
    assert result.exit_code == 1
    assert "file: Not a directory" in result.stderr or "File exists" in result.stderr
    assert result.stderr.count("\n") == 1


PACKAGE = ("package", "--name", "m", "--version", "1.0.0", "--language", "fr", "--licence", "MIT")


def test_package_and_its_wrong_uses(pipeline_folder, rows, tmp_path):
    out = tmp_path / "out"
    words = (*PACKAGE, "--out", out, "--spacy", pipeline_folder)
    assert call(*PACKAGE, "--out", out).exit_code == 2
    assert call(*words, "--hf", tmp_path).exit_code == 2
    assert call(*words, "--quantize", "int8").exit_code == 2
    assert call(*words, "--labels", "a,b").exit_code == 2
    assert call(*words, "--max-tokens", "9").exit_code == 2
    made = call(*words, "--profile-texts", rows)
    assert made.exit_code == 0
    assert "2 labels, spacy" in made.stdout
    again = call(*words)
    assert again.exit_code == 1
    assert "is not empty" in again.stderr


def test_package_in_a_process_that_has_made_no_pipeline(pipeline_folder, tmp_path):
    """spaCy registers its factories late; a test that has trained one would not notice."""
    words = (*PACKAGE, "--out", tmp_path / "out", "--spacy", pipeline_folder)
    done = subprocess.run(
        [sys.executable, "-m", "bento.train", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def small_pipeline(monkeypatch, tmp_path):
    def write(task):
        task.outputs["out"].write_text("done")

    step = Step("small", "Write a word.", write, outputs={"out": tmp_path / "work/out.txt"})
    other = replace(step, name="b", outputs={"out": tmp_path / "work/b.txt"})
    monkeypatch.setattr(pipelines, "emotion_steps", lambda places: [step, other])
    monkeypatch.setattr(pipelines, "intent_steps", lambda places: [])
    return tmp_path / "work"


def test_run_skips_what_is_done(small_pipeline):
    words = ("run", "emotion", "--work", small_pipeline)
    first, second = call(*words), call(*words)
    assert "small: done in 0 s" in first.stdout
    assert "small: Write a word. (never done)" in first.stderr
    assert "small: skipped (nothing changed)" in second.stdout
    assert "small: Write a word. (forced)" in call(*words, "--force").stderr
    assert call(*words, "--list").stdout == "small: Write a word.\nb: Write a word.\n"
    assert call(*words, "--step", "b").stdout == "b: skipped (nothing changed)\n"
    unknown = call(*words, "--step", "c")
    assert unknown.exit_code == 1
    assert "there is no step c; there are small, b" in unknown.stderr
    assert call("run", "weather").exit_code == 2


def test_every_real_step_is_declared_rightly(tmp_path):
    steps = pipelines.pipeline("all", Places.of(tmp_path / "data", tmp_path / "work"))
    check_steps(steps)
    for step in steps:
        assert step.help.endswith(".")
        assert len(code_digests(step.modules)) >= len(step.modules)
        assert all(tmp_path / "work" in path.parents for path in step.outputs.values())


def test_data_checks_a_local_copy(tmp_path):
    result = CliRunner().invoke(app, ["data"], env={"DATA_DIR": str(tmp_path)})
    assert result.exit_code == 1
    assert "error: [french-intents/train.json] is missing" in result.stderr


def test_every_command_has_help():
    listing = call("--help").stdout
    for name in ("data", "run", "evaluate", "package", "baselines", "data-report", "eval-report"):
        assert name in listing
        assert call(name, "--help").exit_code == 0


def test_scoring_needs_no_training_library(artifact, rows):
    """Torch, transformers, scikit-learn and matplotlib are not in the serving environment."""
    code = (
        "import sys\n"
        "for name in ('torch', 'transformers', 'sklearn', 'matplotlib', 'onnx'):\n"
        "    sys.modules[name] = None\n"
        "from bento.train.__main__ import app\n"
        "app()\n"
    )
    words = ["evaluate", "--model", str(artifact), "--data", str(rows), "--json"]
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["accuracy"] == 1.0
