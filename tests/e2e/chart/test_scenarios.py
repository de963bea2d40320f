"""Every scenario of helm/nlpserve/ci is installed as it is, and passes `helm test`."""

import json
import shutil
import subprocess
from pathlib import Path

import kubectl as k
import pytest
from chart_release import CHART, load, named_image, volume

# The only thing that differs: what a node must keep free, so that two cores suffice.
THRIFTY = {"defaults": {"resources": {"requests": {"cpu": 0}}}}
SCENARIOS = sorted((CHART / "ci").glob("*-values.yaml"))
FOREIGN = k.ROOT / "tests" / "chart" / "foreign_kinds.json"


@pytest.fixture
def foreign_kinds(tmp_path_factory, only_one):
    """Kinds that others bring, where the cluster does not know them; gone afterwards."""
    added = []
    with only_one("kinds"):
        for pin in json.loads(FOREIGN.read_bytes()):
            done = subprocess.run(
                ["go", "mod", "download", "-json", f"{pin['module']}@{pin['version']}"],
                cwd=tmp_path_factory.mktemp("module"), capture_output=True, check=True,
            )  # fmt: skip
            file = Path(json.loads(done.stdout)["Dir"]) / pin["file"]
            name = "crd/" + ".".join(reversed(file.stem.split("_")))
            try:
                k.kubectl("get", name)
            except k.Failed:
                k.kubectl("apply", "--server-side", "-f", file)
                k.kubectl("wait", name, "--for=condition=Established")
                added.append(name)
        yield
        for name in added:
            k.kubectl("delete", name)


@pytest.fixture(scope="session")
def topics(tmp_path_factory):
    """An artifact of that name: the shipped emotion model's files."""
    folder = tmp_path_factory.mktemp("artifact") / "topics"
    shutil.copytree(k.ROOT / "bento/models/emotion", folder)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    changed = {**manifest, "name": "topics", "version": "1.0.0"}
    (folder / "manifest.json").write_text(json.dumps(changed), encoding="utf-8")
    return folder


@pytest.fixture
def prepared(request, namespace, topics, tmp_path, tmp_path_factory):
    """What the scenario's first comment says that there must be."""
    scenario = request.getfixturevalue("scenario").stem.removesuffix("-values")
    if scenario in ("gateway", "keda", "monitored"):
        request.getfixturevalue("foreign_kinds")
    if scenario == "rollout-test":
        request.getfixturevalue("load_image")
    if scenario == "own-image-volume":
        load("model-image", tmp_path / "topics.tar", f"ARTIFACT={topics}")
    if scenario != "own-volume":
        yield
        return
    if not k.is_local():
        pytest.skip("only the local cluster's node sees this machine's folders")
    root = tmp_path_factory.mktemp("volume")
    shutil.copytree(topics, root / "topics" / "1.0.0")
    with volume(namespace, root):
        yield


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.stem)
def test_a_scenario_is_installed_and_passes_its_test(scenario, release, prepared):
    named = {**named_image("IMAGE"), "rolloutTest": named_image("LOAD_IMAGE")}
    thrifty = release.file("thrifty", {**THRIFTY, **named})
    release.helm(
        "install", release.name, CHART, "--values", scenario, "--values", thrifty,
        "--wait", "--timeout", "3m",
    )  # fmt: skip
    said = release.test()
    assert "ok     metrics" in said
    assert "FAILED" not in said
    release.helm("uninstall", release.name)
