import json
import pickle
import shutil

import numpy as np
import pytest
import spacy
from spacy.language import Language

from bento.artifacts import ArtifactError, Manifest, file_sha256, read_artifact
from bento.engines import load_engine
from bento.train.errors import TrainError
from bento.train.package import package
from bento.train.package_spacy import find_classifier, prepare_spacy

TEXTS = ["la tasse rouge est lavée", "le train 3 part du quai", "la tasse part"]


def copied(source, folder):
    target = folder / "copy"
    shutil.copytree(source, target)
    return target


def refused(source, facts, folder, message):
    out = folder / "out"
    with pytest.raises(TrainError, match=message):
        package(lambda target: prepare_spacy(source, target), facts, out)
    assert not out.exists()
    assert not list(folder.glob(".out*"))


def test_the_artifact_answers_as_spacy_does(pipeline_folder, artifact):
    nlp = spacy.load(pipeline_folder)
    expected = np.array([[doc.cats["cuisine"], doc.cats["gare"]] for doc in nlp.pipe(TEXTS)])
    checked = read_artifact(artifact)
    assert checked.manifest.labels == ["cuisine", "gare"]
    assert checked.manifest.kind == "spacy"
    ((positions, scores),) = load_engine(checked, threads=1).predict(TEXTS)
    assert list(positions) == [0, 1, 2]
    assert scores == pytest.approx(expected, abs=1e-5)


def test_unneeded_components_are_hinted_at(facts, tmp_path, pipeline_folder):
    nlp = spacy.load(pipeline_folder)
    nlp.add_pipe("sentencizer")
    nlp.to_disk(tmp_path / "slow")
    prepared = package(lambda to: prepare_spacy(tmp_path / "slow", to), facts, tmp_path / "out")
    (hint,) = prepared.hints
    assert hint.startswith("sentencizer will run on every text")


def test_no_text_classifier(facts, tmp_path):
    spacy.blank("fr").to_disk(tmp_path / "blank")
    refused(tmp_path / "blank", facts, tmp_path, "exactly one text classifier; it has none")


def test_two_text_classifiers(pipeline_folder, tmp_path):
    factories = {"a": "textcat", "b": "textcat"}
    with pytest.raises(TrainError, match="it has a, b"):
        find_classifier(pipeline_folder, "fr", factories)


def test_a_multilabel_classifier(facts, tmp_path, pipeline_folder):
    source = copied(pipeline_folder, tmp_path)
    config = (source / "config.cfg").read_text()
    (source / "config.cfg").write_text(
        config.replace('factory = "textcat"', 'factory = "textcat_multilabel"')
    )
    refused(source, facts, tmp_path, "is a multilabel classifier")


def test_a_classifier_whose_model_gives_several_labels(facts, tmp_path, pipeline_folder):
    source = copied(pipeline_folder, tmp_path)
    nlp = spacy.load(source)
    nlp.get_pipe("textcat").model.attrs["multi_label"] = True
    nlp.to_disk(source)
    refused(source, facts, tmp_path, "is a multilabel classifier by its model")


@pytest.mark.parametrize("name", ["setup.py", "textcat/extra.pkl", "lib.so", "a/MODEL.PT"])
def test_code_and_pickles_by_name(facts, tmp_path, pipeline_folder, name):
    source = copied(pipeline_folder, tmp_path)
    (source / name).parent.mkdir(exist_ok=True)
    (source / name).write_bytes(b"x")
    refused(source, facts, tmp_path, "is code or a pickle")


def test_a_pickle_under_another_name(facts, tmp_path, pipeline_folder):
    source = copied(pipeline_folder, tmp_path)
    (source / "vocab/extra.bin").write_bytes(pickle.dumps({"a": 1}))
    refused(source, facts, tmp_path, r"extra.bin\] is code or a pickle")


def test_links_are_refused(facts, tmp_path, pipeline_folder):
    source = copied(pipeline_folder, tmp_path)
    (source / "more").symlink_to(tmp_path)
    refused(source, facts, tmp_path, "is a link")


def test_a_folder_that_is_no_pipeline(facts, tmp_path, pipeline_folder):
    refused(tmp_path, facts, tmp_path, "no saved spaCy pipeline")
    source = copied(pipeline_folder, tmp_path)
    (source / "config.cfg").write_text("[nlp\n")
    refused(source, facts, tmp_path, r"config.cfg\] cannot be read")
    (source / "config.cfg").write_text('[nlp]\nlang = "../x"\npipeline = []\n')
    refused(source, facts, tmp_path, "is no language code")
    (source / "config.cfg").write_text('[nlp]\nlang = "qq"\npipeline = []\n')
    refused(source, facts, tmp_path, "spaCy has no language 'qq'")


def with_unknown(source, folder, section):
    copy = copied(source, folder)
    config = (copy / "config.cfg").read_text()
    config = config.replace('pipeline = ["textcat"]', 'pipeline = ["textcat","own"]')
    (copy / "config.cfg").write_text(config + section)
    return copy


UNKNOWN = '\n[components.own]\nfactory = "not_registered_here"\n'


def test_a_component_that_is_not_registered(facts, tmp_path, pipeline_folder):
    source = with_unknown(pipeline_folder, tmp_path, UNKNOWN)
    refused(source, facts, tmp_path, "'not_registered_here', which the serving")


def test_an_architecture_that_is_not_registered(facts, tmp_path, pipeline_folder):
    source = copied(pipeline_folder, tmp_path)
    config = (source / "config.cfg").read_text()
    (source / "config.cfg").write_text(config.replace("spacy.TextCatBOW.v3", "my.Own.v1"))
    refused(source, facts, tmp_path, "spaCy cannot load it")


def hand_made(folder, pipeline):
    """An artifact that no packager checked."""
    shutil.copytree(pipeline, folder / "pipeline")
    files = [path for path in folder.rglob("*") if path.is_file()]
    manifest = Manifest(
        name="mine",
        version="1.0.0",
        kind="spacy",
        labels=["cuisine", "gare"],
        language="fr",
        files={path.relative_to(folder).as_posix(): file_sha256(path) for path in files},
        licence="MIT",
        created_by="hand",
    )
    (folder / "manifest.json").write_text(json.dumps(manifest.model_dump()))
    return folder


def test_loading_runs_no_code_that_an_artifact_brings(tmp_path, pipeline_folder):
    ran = tmp_path / "ran"
    source = copied(pipeline_folder, tmp_path)

    class Trap:
        def __reduce__(self):
            return (open, (str(ran), "w"))

    for name in ("code.py", "__init__.py", "textcat/code.py"):
        (source / name).write_text(f"open({str(ran)!r}, 'w')\n")
    for name in ("model.pkl", "textcat/extra.pkl"):
        (source / name).write_bytes(pickle.dumps(Trap()))
    engine = load_engine(read_artifact(hand_made(tmp_path / "made", source)), threads=1)
    list(engine.predict(TEXTS))
    assert not ran.exists()


@pytest.mark.parametrize("place", ["model", "cfg"])
def test_a_pickle_in_place_of_a_model_file_is_not_read_as_one(tmp_path, pipeline_folder, place):
    ran = tmp_path / "ran"
    source = copied(pipeline_folder, tmp_path)

    class Trap:
        def __reduce__(self):
            return (open, (str(ran), "w"))

    (source / "textcat" / place).write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ArtifactError):
        load_engine(read_artifact(hand_made(tmp_path / "made", source)), threads=1)
    assert not ran.exists()


def test_loading_an_unregistered_component_is_an_artifact_error(tmp_path, pipeline_folder):
    assert not Language.has_factory("not_registered_here")
    source = with_unknown(pipeline_folder, tmp_path, UNKNOWN)
    artifact = read_artifact(hand_made(tmp_path / "made", source))
    with pytest.raises(ArtifactError, match="is no spaCy pipeline"):
        load_engine(artifact, threads=1)
