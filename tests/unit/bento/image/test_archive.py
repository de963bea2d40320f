import hashlib
import io
import json
import tarfile

import pytest

from bento.image import archive as archives


def tar(files):
    """An archive as bytes."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            if content is None:
                member.type = tarfile.DIRTYPE
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return written.getvalue()


LAYERS = [
    tar({"usr": None, "usr/bin/python3": b"x" * 5000, "etc/same": b"old"}),
    tar({"app": None, "app/environment": None, "app/environment/a": b"x"}),
    tar({"./app/nlpserve": None, "./app/bento/models": None, "etc/same": b"new"}),
    tar({"app/bento/models/intent": None, "app/bento/models/intent/weights": b"x" * 4097}),
    tar({"app/sbom.cdx.json": b"{}"}),
]
CONFIG = {
    "config": {"Labels": {"nlpserve.inputs": "key"}},
    "rootfs": {"diff_ids": [hashlib.sha256(layer).hexdigest() for layer in LAYERS]},
}


def blob(content):
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def place(content):
    return "blobs/" + blob(content).replace(":", "/")


@pytest.fixture(params=["oci", "docker"])
def path(request, tmp_path):
    config = json.dumps(CONFIG).encode()
    if request.param == "docker":
        names = [f"{number}/layer.tar" for number in range(len(LAYERS))]
        described = json.dumps([{"Config": "config.json", "Layers": names}]).encode()
        files = {"manifest.json": described, "config.json": config}
        files |= dict(zip(names, LAYERS, strict=True))
    else:
        described = json.dumps(
            {
                "config": {"digest": blob(config)},
                "layers": [{"digest": blob(layer)} for layer in LAYERS],
                "annotations": {"a": "b"},
            }
        ).encode()
        files = {"index.json": json.dumps({"manifests": [{"digest": blob(described)}]}).encode()}
        files |= {place(content): content for content in (config, described, *LAYERS)}
    (tmp_path / "image.tar").write_bytes(tar(files))
    return tmp_path / "image.tar"


def test_layers_are_named_by_what_they_bring_and_measured_in_blocks(path):
    found = [(layer.name, layer.bytes) for layer in archives.layers(path)]
    assert found == [
        ("base", 8192 + 4096),
        ("environment", 4096),
        ("code", 4096),
        ("model intent", 8192),
        ("bill", 4096),
    ]
    assert "| without the base (at most 700) | 0.0 |" in archives.table(archives.layers(path))


def test_the_uppermost_file_is_read(path):
    assert archives.read_file(path, "etc/same") == b"new"
    with pytest.raises(KeyError):
        archives.read_file(path, "etc/none")


def test_labels_of_what_is_no_archive_are_none(path, tmp_path):
    assert archives.labels(path) == {"nlpserve.inputs": "key"}
    assert archives.labels(tmp_path / "none") == {}
    broken = tmp_path / "broken"
    broken.write_bytes(path.read_bytes()[:700])
    assert archives.labels(broken) == {}
