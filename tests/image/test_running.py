"""The image serves on a read-only root as a user without rights."""

import json
import shutil
import signal
import time

from bento.image.archive import contents
from bento.image.build import model_image
from tests.service.harness import ROOT

SENTENCE = "un%20train%20pour%20Lyon%20demain%20matin"
IMPORTED = """
import os, sys
import bento.service
for name, module in sorted(sys.modules.items()):
    cached = getattr(module, "__cached__", None)  # frozen and compiled modules have none
    if cached and cached.endswith(".pyc") and not os.path.exists(cached):
        print(name)
"""
START_SECONDS = 0.3
"""Enough for Python to run our first lines, not for the models to load."""


def test_both_models_answer(running):
    status, scores = running.request(f"/api/intent?sentence={SENTENCE}")
    assert status == 200
    assert max(scores, key=scores.get) == "find-train"
    status, answer = running.request("/", {"comment": "Thanks a lot, this made my day!"})
    assert (status, answer) == (200, {"prediction": "gratitude"})
    status, answer = running.request("/classify", {"texts": ["merci"], "model": "intent"})
    assert status == 200  # BentoML's own route


def test_nobody_special_runs_it(running):
    status = running.status()
    assert status["Uid"].split() == ["10001"] * 4
    assert status["Gid"].split() == ["10001"] * 4
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1"


def test_only_tmp_can_be_written(running):
    for folder in ("/", "/app", "/app/bento/models", "/app/environment", "/var/tmp", "/home"):
        tried = running.execute("touch", f"{folder}/x")
        assert tried.returncode != 0, folder
        assert "Read-only file system" in tried.stderr, tried.stderr
    assert running.execute("touch", "/tmp/x").returncode == 0


def test_every_module_comes_from_bytecode(running):
    shown = running.execute("python", "-c", IMPORTED)
    assert (shown.returncode, shown.stdout) == (0, ""), shown.stderr
    without = "sys.modules['x'] = type(sys)('x'); sys.modules['x'].__cached__ = '/x.pyc'"
    control = running.execute("python", "-c", IMPORTED.replace("import bento.service", without))
    assert control.stdout == "x\n"


def test_nothing_calls_home(running):
    """onnxruntime's telemetry would have left its device id."""
    found = running.execute("find", "/tmp")
    assert "/tmp/bentoml" in found.stdout.splitlines()
    assert "onnxruntime" not in found.stdout


def test_settings_arrive_and_sigterm_drains(start):
    with start(models="intent", drain_seconds="0.5") as container:
        container.ready()
        assert container.request(f"/api/intent?sentence={SENTENCE}")[0] == 200
        assert container.request("/v1/models/emotion")[0] == 404
        assert container.end() == 0
        assert "Draining for 0.5 s" in container.log


def test_sigterm_ends_a_start_at_once(start):
    with start() as container:
        time.sleep(START_SECONDS)
        while not int(container.status().get("SigCgt", "0"), 16) & 1 << signal.SIGTERM - 1:
            assert container.process.poll() is None
        began = time.monotonic()
        assert container.end() in (0, 128 + signal.SIGTERM)
        assert time.monotonic() - began < 20


def test_a_wrong_setting_ends_it_with_one_line(start):
    with start(max_texts="many") as container:
        assert container.wait() == 1
        assert container.log.startswith("nlpserve: NLPSERVE_MAX_TEXTS")
        assert len(container.log.splitlines()) == 1


def test_a_models_image_is_served_from_a_volume(engine, start, tmp_path):
    source = shutil.copytree(ROOT / "bento/models/intent", tmp_path / "source")
    manifest = json.loads((source / "manifest.json").read_text(encoding="utf-8"))
    manifest |= {"name": "trip", "version": "2.1.0+test"}
    (source / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (source / "manifest.json").chmod(0o600)  # a user's umask must not make it unreadable
    archive = model_image(engine, source, None, tmp_path)
    assert archive == tmp_path / "nlpserve-model-trip-2.1.0_test.tar"
    volume = tmp_path / "volume"
    for number, (_, layer) in enumerate(contents(archive)):
        assert number == 0
        layer.extractall(volume, filter="tar")
    held = {path.relative_to(volume) for path in volume.rglob("*") if path.is_file()}
    assert held == {path.relative_to(source) for path in source.rglob("*") if path.is_file()}
    folder = "/models/trip"
    with start((volume, folder), models=f"trip={folder}") as container:
        container.ready()
        status, answer = container.request("/v1/models/trip/classify", {"texts": ["un hôtel"]})
        assert status == 200
        assert answer["version"] == "2.1.0+test"
        assert answer["predictions"][0]["label"] == "find-hotel"
        assert container.execute("touch", f"{folder}/x").returncode != 0
