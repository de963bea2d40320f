import numpy as np
import pytest

from bento.artifacts import ArtifactError
from bento.train import evaluate as evaluation
from bento.train.errors import LabelledFileError
from bento.train.evaluate import ArtifactAnswers, batches, evaluate, find_artifact, rounded
from bento.train.labelled import Labelled


class Rules:
    """Confidence .8 in the label that the text names, .2 in the other."""

    labels = ("yes", "no")

    def __init__(self):
        self.seen = []

    def answer(self, texts):
        self.seen.append(len(texts))
        return np.array([[0.8, 0.2] if "yes" in text else [0.2, 0.8] for text in texts], np.float32)


def test_measures_of_a_model_with_known_answers():
    rows = [
        Labelled("yes", ("yes",)),
        Labelled("no", ("yes", "no")),  # any of its labels is right
        Labelled("no", ("yes",)),
        Labelled("no", ("no",)),
    ]
    result = evaluate(rows, Rules())
    assert result.right.tolist() == [True, True, False, True]
    assert result.matrix.tolist() == [[1, 1], [0, 2]]
    scores = result.scores()
    assert scores["accuracy"] == scores["micro_f1"] == 0.75
    assert scores["ece"] == pytest.approx(0.05, abs=1e-6)
    assert scores["documents"] == 4
    assert scores["docs_per_s"] > 0
    assert set(scores) >= {
        f"{average}_{name}"
        for average in ("micro", "macro", "weighted")
        for name in ("precision", "recall", "f1")
    }


def test_each_row_is_timed_once_in_full_batches_after_a_warm_up():
    model = Rules()
    evaluate([Labelled("yes", ("yes",))] * 150, model)
    assert model.seen == [64, 64, 64, 64, 22]


def test_an_unknown_label_stops_before_anything_is_asked():
    model = Rules()
    with pytest.raises(LabelledFileError, match=r"\[row 1 -> label\]"):
        evaluate([Labelled("yes", ("maybe",))], model)
    assert model.seen == []


def test_batches_keep_order():
    assert list(batches(["a", "b", "c"], 2)) == [["a", "b"], ["c"]]


def test_rounding_for_print():
    assert rounded({"kappa": 0.123456, "docs_per_s": 12.345, "documents": 3.0}) == {
        "kappa": 0.1235,
        "docs_per_s": 12.3,
        "documents": 3,
    }


def test_an_artifact_answers_in_the_order_of_its_labels(artifact):
    model = ArtifactAnswers(artifact)
    assert model.labels == ("cuisine", "gare")
    scores = model.answer(["la tasse rouge est lavée", "le train 3 part du quai"])
    assert scores.shape == (2, 2)
    assert scores.argmax(axis=1).tolist() == [0, 1]
    assert scores.sum(axis=1) == pytest.approx([1, 1], abs=1e-5)


def test_a_model_is_found_by_name_or_by_path(artifact, tmp_path, monkeypatch):
    assert find_artifact(str(artifact)) == artifact
    (tmp_path / "small").mkdir()
    monkeypatch.setattr(evaluation, "SHIPPED", tmp_path)
    assert find_artifact("small") == tmp_path / "small"
    with pytest.raises(ArtifactError, match=r"large is neither a shipped model \(small\) nor"):
        find_artifact("large")
