"""`bentoml build` makes a Bento that serves the same."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.service.harness import ROOT, Server, environment

TEXTS = {
    "intent": ["Trouve-moi un hôtel à Nantes", "un train pour Brest", "Merci 🙏"],
    "emotion": ["Thank you!", "I miss her so much", "Why is that?"],
}
BUILD_SECONDS = 180


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """BentoML's home with the Bento in it.

    BentoML wants uv to be there, and would install it, even where it locks nothing: here is one
    that must not be called.
    """
    folder = tmp_path_factory.mktemp("bento")
    uv = folder / "bin/uv"
    uv.parent.mkdir()
    uv.write_text("#!/bin/sh\nexit 9\n", encoding="utf-8")
    uv.chmod(0o755)
    variables = environment(folder / "bentoml", {})
    variables["PATH"] = os.pathsep.join([str(uv.parent), variables["PATH"]])
    done = subprocess.run(
        [sys.executable, "-m", "bentoml", "build", ".", "-f", "bento/bentofile.yaml"],
        cwd=ROOT,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def pins(requirements: Path) -> set[str]:
    return set(re.findall(r"^[\w.-]+==[\w.]+", requirements.read_text(encoding="utf-8"), re.M))


def test_it_holds_what_serving_needs_and_no_more(store):
    (bento,) = (path for path in (store / "bentoml/bentos/nlpserve").iterdir() if path.is_dir())
    source = bento / "src"
    assert sorted(path.name for path in source.iterdir()) == [
        "LICENSE", "NOTICE", "bento", "bentofile.yaml", "nlpserve",
    ]  # fmt: skip
    for name in ("train", "image", "Containerfile"):
        assert not (source / "bento" / name).exists()
    assert not list(source.rglob("__pycache__"))
    assert (source / "bento/models/emotion/manifest.json").is_file()
    assert (source / "bento/edge/page.html").is_file()
    wanted = pins(ROOT / "requirements/serve.txt")
    assert "bentoml==1.4.39" in wanted
    assert pins(bento / "env/python/requirements.txt") == wanted


def test_it_answers_as_the_source_does(store, server):
    with Server(store, target="nlpserve:latest", cwd=store) as built:
        folder = store / "bentoml/bentos"
        assert os.path.commonpath([folder, built.worker().cwd()]) == str(folder)
        for model, texts in TEXTS.items():
            path = f"/v1/models/{model}/classify"
            both = [
                requests.post(one.url + path, json={"texts": texts}, timeout=30).json()
                for one in (server, built)
            ]
            assert both[0]["version"] == both[1]["version"]
            for source, copy in zip(*(one["predictions"] for one in both), strict=True):
                assert source["label"] == copy["label"]
                assert source["scores"] == pytest.approx(copy["scores"], abs=1e-4)
        documents = [one.get("/docs.json")[1] for one in (server, built)]
        assert documents[0] == documents[1]
