import json
from dataclasses import replace

import numpy as np
import pytest

from bento.artifacts import ArtifactError, read_artifact
from bento.train.errors import TrainError
from bento.train.package import Prepared, package, read_scores, with_scores
from bento.train.package_spacy import prepare_spacy

TEXTS = [f"la tasse {word} est lavée" for word in ("rouge", "verte")] + ["le train part"] * 2


@pytest.fixture
def prepare(pipeline_folder):
    return lambda folder: prepare_spacy(pipeline_folder, folder)


def test_a_whole_artifact_with_profile_and_scores(prepare, facts, tmp_path):
    out = tmp_path / "new" / "mine"
    facts = replace(facts, scores={"accuracy": 0.9})
    package(prepare, facts, out, TEXTS)
    manifest = read_artifact(out).manifest
    assert manifest.scores == {"accuracy": 0.9}
    assert manifest.created_by.startswith("nlpserve ")
    assert manifest.profile is not None
    assert manifest.profile.documents == 4
    assert manifest.profile.labels == {"cuisine": 0.5, "gare": 0.5}
    assert manifest.profile.unknown_words == 0.0  # no vectors to ask
    assert {path.name for path in out.iterdir()} == {"manifest.json", "pipeline"}
    assert [path.name for path in out.parent.iterdir()] == ["mine"]


def test_a_profile_of_held_out_scores(prepare, facts, tmp_path):
    scores = np.array([[0.7, 0.3]] * 4, np.float32)
    package(prepare, facts, tmp_path / "mine", TEXTS, held_out=scores)
    profile = read_artifact(tmp_path / "mine").manifest.profile
    assert profile is not None
    assert profile.labels == {"cuisine": 1.0, "gare": 0.0}
    assert profile.confidence_edges == [0.7]


def test_an_empty_folder_may_be_there_a_full_one_not(prepare, facts, tmp_path):
    out = tmp_path / "mine"
    out.mkdir()
    package(prepare, facts, out)
    before = (out / "manifest.json").read_bytes()
    with pytest.raises(TrainError, match=r"\[--out\] .* is not empty"):
        package(prepare, facts, out)
    assert (out / "manifest.json").read_bytes() == before
    with pytest.raises(TrainError, match="is not empty"):
        package(prepare, facts, out / "manifest.json")


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"name": "No_Good"}, "name"),
        ({"version": "1"}, "version"),
        ({"language": "french"}, "language"),
        ({"scores": {"a": "b"}}, "scores -> a"),
    ],
)
def test_a_wrong_fact_is_named_and_nothing_is_left(prepare, facts, tmp_path, wrong, where):
    with pytest.raises(TrainError, match=rf"\[manifest -> {where}\]"):
        package(prepare, replace(facts, **wrong), tmp_path / "mine")
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_load_is_not_left(prepare, facts, tmp_path):
    def broken(folder):
        (folder / "model.onnx").write_bytes(b"no model")
        return Prepared("transformer-onnx", ("a", "b"), lambda texts: (0, 0))

    with pytest.raises(ArtifactError, match="does not load"):
        package(broken, facts, tmp_path / "mine")
    assert list(tmp_path.iterdir()) == []


def test_scores_are_set_later_without_touching_the_files(prepare, facts, tmp_path):
    out = tmp_path / "mine"
    package(prepare, facts, out)
    digest = read_artifact(out).manifest.sha256
    assert with_scores(out, {"kappa": 0.5}).manifest.scores == {"kappa": 0.5}
    assert read_artifact(out).manifest.sha256 == digest


def test_scores_from_a_file(tmp_path):
    path = tmp_path / "scores.json"
    path.write_text(json.dumps({"accuracy": 0.5, "documents": 3}))
    assert read_scores(path) == {"accuracy": 0.5, "documents": 3.0}
    path.write_text('{"accuracy": "much"}')
    with pytest.raises(TrainError, match=r"\[scores.json -> accuracy\]"):
        read_scores(path)
    with pytest.raises(TrainError, match="cannot be read"):
        read_scores(tmp_path / "none.json")
