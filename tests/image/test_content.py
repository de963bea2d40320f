"""What is in the image, what is not, and what a change of it ships."""

import json
import os
import re
import shutil
import time
from pathlib import Path

import pytest

from bento.image import archive as archives
from bento.image.build import BILL, KEY, base_image, service_image
from bento.image.engines import Recipe, run
from bento.image.inputs import IGNORE, ROOT, revision, selection
from bento.image.lending import lend
from nlpserve import __version__

MODELS = sorted(path.name for path in (ROOT / "bento/models").iterdir())
ENVIRONMENT = "app/environment/lib/"
WARM_SECONDS = 60.0
SAME = {f"org.opencontainers.image.{name}" for name in ("title", "version", "licenses")}


@pytest.fixture(scope="module")
def layers(image):
    return archives.layers(image.archive)


@pytest.fixture(scope="module")
def bill(image):
    return json.loads(archives.read_file(image.archive, BILL))


def test_layers_are_ordered_by_how_seldom_they_change(layers):
    names = [layer.name for layer in layers if layer.name != "base"]
    assert layers[0].name == "base"
    assert names == ["environment", "code", "model intent", "model emotion", "bill"]


def test_it_takes_at_most_700_mb_more_than_its_base(layers):
    print(archives.table(layers))
    sizes = {layer.name: layer.bytes for layer in layers if layer.name != "base"}
    assert sizes["environment"] > 100e6  # or the measure is wrong
    assert sum(sizes.values()) <= archives.LARGEST_BYTES


def test_it_holds_the_context_and_its_bytecode(files):
    chosen = selection(IGNORE.read_text(encoding="utf-8"))
    wanted = {
        f"app/{path.as_posix()}"
        for path in chosen.files(ROOT)
        if path.parts[0] != "requirements" and path.parts[:2] != ("bento", "image")
    }
    held = {
        name
        for name, member in files.items()
        if name.startswith("app/") and member.isfile() and not name.startswith("app/environment/")
    }
    modules = {name for name in wanted if name.endswith(".py") and "/models/" not in name}
    assert len(modules) > 30
    bytecode = {name for name in held if name.endswith(".pyc")}
    assert held - bytecode == wanted | {BILL}
    assert len(bytecode) == len(modules)


def test_it_holds_no_tool_of_the_build(files):
    programs = {Path(name).name for name in files if "bin" in Path(name).parts}
    compilers = re.compile(r"(.*-)?(cc|gcc|g\+\+|c\+\+|clang|ld|rustc|go|make)(-[\d.]+)?")
    assert {"sh", "python3"} <= programs
    assert {name for name in programs if compilers.fullmatch(name)} == set()
    packages = {name.split("/")[5].split("-")[0] for name in files if "/site-packages/" in name
        and name.startswith(ENVIRONMENT)}  # fmt: skip
    assert "bentoml" in packages
    assert packages & {"torch", "pip", "cyclonedx_bom", "pytest"} == set()
    assert [name for name in files if re.search(r"(^|/)\.?cache/pip|pip/(http|wheels)", name)] == []


def test_it_holds_no_trace_of_the_machine(image, files):
    for name in ("etc/pip.conf", "root/.config/pip/pip.conf", "run/secrets/certificates.pem"):
        assert name not in files or files[name].size == 0
    for name in ("etc/resolv.conf", "etc/hostname", "etc/machine-id", "etc/hosts"):
        assert name not in files or files[name].size == 0
    values = "\n".join(image.config["Env"])
    assert not re.search(r"(?i)(proxy|index_url|cert)", values)


def test_only_root_could_change_what_it_holds(files):
    ours = {name: member for name, member in files.items() if name.startswith("app")}
    assert {name for name, m in ours.items() if (m.uid, m.gid) != (0, 0)} == set()
    assert {name for name, m in ours.items() if not m.issym() and m.mode & 0o022} == set()
    assert {name for name, m in ours.items() if not m.issym() and not m.mode & 0o004} == set()


def test_it_says_how_to_run_it(image):
    config = image.config
    assert config["User"] == "10001:10001"
    assert config["WorkingDir"] == "/app"
    assert config["Entrypoint"] == ["python", "-m", "bento.serve", "--host", "0.0.0.0"]
    assert list(config["ExposedPorts"]) == ["3000/tcp"]


def test_labels_are_what_the_commit_says(image):
    labels = image.labels
    commit = revision(selection(IGNORE.read_text(encoding="utf-8")))
    assert labels["org.opencontainers.image.title"] == "nlpserve"
    assert labels["org.opencontainers.image.version"] == __version__
    assert labels["org.opencontainers.image.revision"] == commit.name
    assert labels["org.opencontainers.image.created"] == commit.time
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0 AND LGPLLR"
    if image.engine.name != "docker":
        assert archives.annotations(image.archive).items() >= {n: labels[n] for n in SAME}.items()


def test_the_bill_lists_everything(image, bill, files):
    parts = bill["components"]
    assert bill["metadata"]["component"]["version"] == __version__
    installed = {
        tuple(found.groups())
        for name in files
        if (found := re.fullmatch(rf"{ENVIRONMENT}[^/]+/site-packages/([^/]+)-([^/-]+)\.dist-info",
            name))
    }  # fmt: skip
    assert len(installed) > 80
    listed = {
        (re.sub(r"[-_.]+", "_", part["name"].lower()), part["version"])
        for part in parts
        if part.get("purl", "").startswith("pkg:pypi/")
    }
    assert {(re.sub(r"[-_.]+", "_", name.lower()), v) for name, v in installed} == listed
    assert "var/lib/dpkg/status" in files
    assert [p for p in parts if p.get("purl", "").startswith("pkg:deb/debian/libc6@")]
    for name in MODELS:
        manifest = json.loads((ROOT / "bento/models" / name / "manifest.json").read_text())
        (model,) = [p for p in parts if (p["type"], p["name"]) == ("machine-learning-model", name)]
        hashes = {part["name"]: part["hashes"][0]["content"] for part in model["components"]}
        assert hashes == manifest["files"]
    beside = image.archive.with_suffix(".cdx.json")
    assert json.loads(beside.read_text(encoding="utf-8")) == bill


def test_nothing_changed_nothing_built(image):
    before = image.archive.stat()
    began = time.monotonic()
    assert service_image(image.engine, image.archive, image.base) == image.name
    assert time.monotonic() - began < WARM_SECONDS
    after = image.archive.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_changed_model_ships_its_layer_only(image, layers, tmp_path):
    """A copy elsewhere with other times and modes, and a changed model card."""
    copy = tmp_path / "copy"
    for path in selection(IGNORE.read_text(encoding="utf-8")).files(ROOT):
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, copy / path)
        (copy / path).chmod(0o600)
        os.utime(copy / path, (1e9, 1e9))
    shutil.copy(IGNORE, copy)
    card = copy / "bento/models/intent/README.md"
    card.write_text(card.read_text(encoding="utf-8") + "\nChanged.\n", encoding="utf-8")
    manifest = copy / "bento/models/intent/manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("1.0.0", "1.0.1"))
    name = "localhost/nlpserve-test:changed-model"
    base = base_image(image.engine, image.base, fresh=False)
    recipe = Recipe(
        name, copy, ROOT / "bento/Containerfile", {"BASE": base}, {KEY: "test"}, lend(tmp_path)
    )
    image.engine.build(recipe)
    try:
        archive = tmp_path / "changed.tar"
        image.engine.save(name, archive)
    finally:
        run([*image.engine.command, "rmi", name])
    before = {layer.digest for layer in layers}
    shipped = [layer for layer in archives.layers(archive) if layer.digest not in before]
    assert [layer.name for layer in shipped] == ["model intent", "bill"]
    assert sum(layer.bytes for layer in shipped) < 10e6
