"""The reports on a small made-up world: every number has its plot, and no sentence gets out."""

import json
import re

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from bento.train import report_data, report_eval
from bento.train.errors import LabelledFileError
from bento.train.evaluate import evaluate
from bento.train.labelled import Labelled
from bento.train.plots import reliability_bins

LABELS = ("gare", "cuisine", "jardin")
SECRET = "quetzalcoatl"


def made_up_rows(count, seed):
    rng = np.random.default_rng(seed)
    words = {"gare": ["train", "quai"], "cuisine": ["tasse", "four"], "jardin": ["rose", "haie"]}
    rows = []
    for number in range(count):
        label = LABELS[number % 3]
        text = " ".join(rng.choice(words[label] + ["un", "la", SECRET], size=rng.integers(2, 9)))
        rows.append({"intent": label, "sentence": f"{text} {number}"})
    return rows


@pytest.fixture
def data(tmp_path):
    intents, emotions = tmp_path / "data/french-intents", tmp_path / "data/goemotions"
    intents.mkdir(parents=True)
    emotions.mkdir()
    for name, count in (("train", 60), ("test", 30)):
        (intents / f"{name}.json").write_text(json.dumps(made_up_rows(count, seed=count)))
    for name, count in (("train", 50), ("dev", 20), ("test", 20)):
        lines = [f"{SECRET} says {n}\t{n % 28},{n % 5}\tid{n}\n" for n in range(count)]
        (emotions / f"{name}.tsv").write_text("".join(lines))
    return tmp_path / "data"


def check_page(page, folder):
    text = page.read_text()
    images = re.findall(r"!\[.*?\]\((.*?)\)", text)
    assert images
    for image in images:
        assert (folder / image).read_bytes().startswith(b"\x89PNG")
    assert sorted(images) == sorted(path.name for path in folder.glob("*.png"))
    assert SECRET not in text
    return text


def test_the_data_report(data, tmp_path):
    text = check_page(report_data.write_report(data, tmp_path / "out"), tmp_path / "out")
    assert "| train | 60 | 3 |" in text
    assert "| gare | 33.3 | 33.3 |" in text


def test_overlap_counts_texts_by_their_words():
    train = [Labelled("Le Train part", ("a",)), Labelled("la tasse", ("b",))]
    test = [Labelled("le train, part !", ("a",)), Labelled("la rose la rose", ("b",))]
    facts = report_data.overlap(train, test)
    assert facts["texts"] == 1
    assert facts["vocabulary"] == 5
    assert facts["new_words"] == pytest.approx(1 / 5)
    assert facts["new_tokens"] == pytest.approx(2 / 7)


def test_vocabulary_grows_to_its_size():
    rows = [Labelled(f"un {number % 4}", ("a",)) for number in range(10)]
    curve = report_data.vocabulary_growth(rows)
    assert curve[0].tolist() == [1, 2]
    assert curve[-1].tolist() == [10, 5]


class Known:
    labels = LABELS

    def answer(self, texts):
        guesses = [len(text) % 3 for text in texts]
        return (np.eye(3)[guesses] * 0.7 + 0.1).astype(np.float32)


@pytest.fixture
def results():
    rows = [Labelled(row["sentence"], (row["intent"],)) for row in made_up_rows(90, 1)]
    return {"ours": evaluate(rows, Known()), "pretrained": evaluate(rows[::-1], Known())}


def test_a_section_has_all_measures_of_both(results, tmp_path):
    text = report_eval.section("Made up", results, tmp_path, "made")
    (tmp_path / "page.md").write_text(text)
    check_page(tmp_path / "page.md", tmp_path)
    scores = results["ours"].scores()
    for name, value in (
        ("macro F", scores["macro_f1"]),
        ("weighted P", scores["weighted_precision"]),
        ("Cohen's kappa", scores["kappa"]),
    ):
        assert f"| {name} | {value:.3f} | {value:.3f} |" in text
    assert "| label | rows | P ours | R ours | F ours | P pretrained |" in text


def test_bins_hold_every_document():
    confidence = np.array([0.0, 0.3, 0.31, 1.0])
    claimed, reached, counts = reliability_bins(confidence, np.array([True, True, False, True]))
    assert counts.tolist() == [1, 2, 1]
    assert claimed == pytest.approx([0.0, 0.305, 1.0])
    assert reached == pytest.approx([1.0, 0.5, 1.0])


SCORES = {"gare": 0.2, "cuisine": 0.7, "jardin": 0.1}
BY_ROWS = [{"intent": "gare", "prediction": "cuisine", "scores": SCORES}]
FLAT = [{"intent": "gare", **SCORES}]
BY_COLUMNS = {"intent": {"0": "gare"}, "prediction": {"0": SCORES}}


@pytest.mark.parametrize("content", [BY_ROWS, FLAT, BY_COLUMNS], ids=["rows", "flat", "columns"])
def test_pretrained_answers_in_any_of_their_forms(tmp_path, content):
    path = tmp_path / "p.json"
    path.write_text(json.dumps(content))
    result = report_eval.read_pretrained(path, LABELS)
    assert result.truth.tolist() == [0]
    assert result.predicted.tolist() == [1]
    assert result.confidence.tolist() == [0.7]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"intent": "gare", "prediction": "gare"}, r"\[row 1 -> scores\] has no score"),
        ({"scores": SCORES}, r"\[row 1 -> intent\] is missing"),
        ({"intent": "mer", "scores": SCORES}, "no label 'mer'"),
        ({"intent": "gare", "prediction": "mer", "scores": SCORES}, "unknown label 'mer'"),
        ({"intent": "gare", "scores": SCORES | {"gare": "much"}}, "are not numbers"),
    ],
)
def test_pretrained_answers_that_cannot_be_used(tmp_path, record, message):
    path = tmp_path / "p.json"
    path.write_text(json.dumps([record]))
    with pytest.raises(LabelledFileError, match=message):
        report_eval.read_pretrained(path, LABELS)
