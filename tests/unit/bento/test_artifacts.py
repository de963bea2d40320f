import hashlib
import json

import pytest

from bento.artifacts import ArtifactError, read_artifact


def refused(folder):
    """The one line that says why."""
    with pytest.raises(ArtifactError) as excinfo:
        read_artifact(folder)
    message = str(excinfo.value)
    assert "\n" not in message
    assert str(folder) in message
    return message


def test_good_artifact(artifact):
    read = read_artifact(artifact("good", scores={"accuracy": 0.9}, max_tokens=32))
    assert read.manifest.name == "good"
    assert read.manifest.labels == ["alpha", "beta", "gamma"]
    assert read.manifest.scores == {"accuracy": 0.9}


def test_digest_names_the_content_whatever_the_order(artifact):
    one, two = hashlib.sha256(b"1").hexdigest(), hashlib.sha256(b"2").hexdigest()
    digests = set()
    for name, files in (("a", {"x": one, "y": two}), ("b", {"y": two, "x": one})):
        folder = artifact(name, files=files)
        (folder / "weights.bin").unlink()
        (folder / "x").write_bytes(b"1")
        (folder / "y").write_bytes(b"2")
        digests.add(read_artifact(folder).manifest.sha256)
    assert len(digests) == 1
    assert read_artifact(artifact("c")).manifest.sha256 not in digests


def test_no_folder(tmp_path):
    assert "manifest.json" in refused(tmp_path / "nowhere")


def test_no_manifest(tmp_path):
    assert "no manifest.json" in refused(tmp_path)


def test_a_file_in_place_of_the_folder(tmp_path):
    file = tmp_path / "file"
    file.write_text("x", encoding="utf-8")
    refused(file)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"name": "\xff"}', b"NaN,"]
)
def test_manifest_that_is_not_json(artifact, content):
    folder = artifact("bad")
    (folder / "manifest.json").write_bytes(content)
    assert "is not JSON" in refused(folder)


@pytest.mark.parametrize("content", ["[]", "null", "3", '"manifest"'])
def test_manifest_that_is_no_object(artifact, content):
    folder = artifact("bad")
    (folder / "manifest.json").write_text(content, encoding="utf-8")
    refused(folder)


def test_wrong_hash(artifact):
    folder = artifact("bad")
    (folder / "weights.bin").write_bytes(b"tampered")
    message = refused(folder)
    assert "weights.bin" in message
    assert "sha256" in message


def test_missing_file(artifact):
    folder = artifact("bad")
    (folder / "weights.bin").unlink()
    assert "weights.bin is missing" in refused(folder)


def test_folder_in_place_of_a_file(artifact):
    folder = artifact("bad")
    (folder / "weights.bin").unlink()
    (folder / "weights.bin").mkdir()
    assert "weights.bin is missing" in refused(folder)


@pytest.mark.parametrize(
    "name", ["../secret", "a/../../secret", "/etc/hostname", "manifest.json", "..", "a/.."]
)
def test_path_that_leaves_the_artifact(artifact, name):
    message = refused(artifact("bad", files={name: "0" * 64}))
    assert name in message
    assert "inside the artifact" in message


def test_link_out_of_the_artifact_is_still_bound_by_its_hash(artifact, tmp_path):
    folder = artifact("bad")
    (tmp_path / "elsewhere").write_bytes(b"other")
    (folder / "weights.bin").unlink()
    (folder / "weights.bin").symlink_to(tmp_path / "elsewhere")
    assert "sha256" in refused(folder)


@pytest.mark.parametrize(
    ("member", "value", "words"),
    [
        ("kind", "pickle", "kind"),
        ("labels", ["a", "a"], "differ"),
        ("labels", ["a"], "labels"),
        ("labels", "ab", "labels"),
        ("name", "No Spaces", "name"),
        ("name", "a/b", "name"),
        ("name", "x" * 41, "name"),
        ("version", "1", "version"),
        ("language", "french", "language"),
        ("files", {}, "files"),
        ("files", {"weights.bin": "short"}, "no sha256"),
        ("files", {"weights.bin": "G" * 64}, "no sha256"),
        ("max_tokens", 0, "max_tokens"),
        ("scores", {"accuracy": "good"}, "scores.accuracy"),
        ("schema_version", 2, "schema_version"),
        ("pickle", True, "pickle"),
        ("profile", {"documents": 1}, "profile"),
    ],
)
def test_wrong_member_is_named(artifact, member, value, words):
    assert words in refused(artifact("bad", **{member: value}))


PROFILE = {
    "documents": 9,
    "characters_edges": [10.0],
    "characters": [0.5, 0.5],
    "confidence_edges": [],
    "confidence": [1.0],
    "labels": {"gamma": 0.2, "alpha": 0.5, "beta": 0.3},
    "unknown_words": 0.1,
}


@pytest.mark.parametrize(
    ("member", "value", "words"),
    [
        ("characters", [1.0], "characters needs one share more"),
        ("confidence", [0.5, 0.5], "confidence needs one share more"),
        ("labels", {"alpha": 1.0}, "the profile's labels must be the model's"),
        ("labels", {"gamma": 0.2, "alpha": 0.5, "beta": 0.3, "delta": 0.0}, "must be the model's"),
    ],
)
def test_a_profile_that_does_not_fit(artifact, member, value, words):
    assert read_artifact(artifact("good", profile=PROFILE)).manifest.profile is not None
    assert words in refused(artifact("bad", profile=PROFILE | {member: value}))


@pytest.mark.parametrize("member", ["name", "kind", "labels", "files", "licence", "created_by"])
def test_missing_member_is_named(artifact, member):
    folder = artifact("bad")
    path = folder / "manifest.json"
    manifest = json.loads(path.read_bytes())
    del manifest[member]
    path.write_text(json.dumps(manifest), encoding="utf-8")
    assert member in refused(folder)


@pytest.mark.parametrize("name", ["extra.bin", "pipeline/model.py", ".hidden"])
def test_file_that_the_manifest_does_not_name(artifact, name):
    folder = artifact("bad")
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"x")
    assert f"{name} is not named" in refused(folder)


def test_a_link_to_a_folder_would_hide_files(artifact, tmp_path):
    folder = artifact("bad")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/extra.bin").write_bytes(b"x")
    (folder / "more").symlink_to(tmp_path / "elsewhere")
    assert "more is a link to a folder" in refused(folder)


def test_only_a_card_beside_the_manifest_need_not_be_named(artifact):
    folder = artifact("bad")
    (folder / "deep").mkdir()
    (folder / "deep/README.md").write_bytes(b"x")
    assert "README.md is not named" in refused(folder)


def test_model_card_need_not_be_named(artifact):
    folder = artifact("good")
    (folder / "README.md").write_text("# Good", encoding="utf-8")
    assert read_artifact(folder).manifest.name == "good"
