"""Liveness, readiness, drain and start as a client sees them."""

import asyncio
import logging

import pytest

from bento.edge.application import Application
from bento.edge.keys import Keys
from bento.runtime import Runtime
from bento.settings import Settings

LIVE = ["/livez", "/healthz", "/v2/health/live"]
READY = ["/readyz", "/v2/health/ready", "/v2/models/intent/ready"]


async def statuses(house, paths):
    return {(await house.get(path)).status for path in paths}


async def test_live_and_ready_after_the_start(house):
    assert await statuses(house, LIVE + READY) == {200}
    assert house.inner.lifespan == ["startup"]


async def test_draining_flips_readiness_and_closes_connections(house):
    house.runtime.lifecycle.draining = True
    assert await statuses(house, READY) == {503}
    assert await statuses(house, LIVE) == {200}
    for answer in (
        await house.get("/api/intent", "sentence=bonjour"),
        await house.get("/nowhere"),
        await house.post("/classify", {"texts": ["x"]}),
    ):
        assert answer.header("connection") == "close"
    assert (await house.get("/api/intent", "sentence=bonjour")).status == 200


async def test_no_connection_header_otherwise(house):
    assert (await house.get("/livez")).header("connection") is None


async def test_dead_model_fails_liveness_and_readiness(house):
    house.runtime.models["emotion"].batcher.fail_all("its thread ended")
    assert await statuses(house, LIVE + READY) == {503}
    answer = await house.post("/", {"comment": "Well done"})
    assert answer.status == 503
    assert answer.header("retry-after")
    series = await house.series()
    assert series["nlpserve_rejected_total", "emotion", "model_dead"] == 1
    assert (await house.get("/api/intent", "sentence=bonjour")).status == 200


async def test_not_ready_before_the_start(open_app):
    settings = Settings(models="intent=folder")
    app = Application(None, Runtime(settings), Keys(settings), {})
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/readyz", "query_string": b"", "headers": []}
    await app(scope, None, send)
    assert sent[0]["status"] == 503


async def fail_to_start(runtime, settings):
    events = asyncio.Queue()
    sent = []

    async def send(message):
        sent.append(message)

    await events.put({"type": "lifespan.startup"})
    app = Application(None, runtime, Keys(settings), {})
    await app({"type": "lifespan"}, events.get, send)
    (message,) = sent
    assert message["type"] == "lifespan.startup.failed"
    return message["message"]


async def test_bad_artifact_fails_the_start_with_one_line(tmp_path):
    settings = Settings(models=f"intent={tmp_path / 'empty'}")
    message = await fail_to_start(Runtime(settings), settings)
    assert "manifest.json" in message
    assert "\n" not in message


async def test_log_that_cannot_be_opened_fails_the_start(tmp_path):
    settings = Settings(
        predictions_log="text", predictions_log_file=str(tmp_path / "no" / "folder" / "log.txt")
    )
    assert "no/folder" in await fail_to_start(Runtime(settings), settings)


async def test_model_that_fails_in_its_warm_up_fails_the_start(artifact, monkeypatch, caplog):
    class Broken:
        labels = ("alpha", "beta", "gamma")

        def predict(self, texts):
            raise TypeError("no such operator")

    monkeypatch.setattr("bento.runtime.load_engine", lambda found, threads: Broken())
    settings = Settings(models=f"intent={artifact('intent')}")
    runtime = Runtime(settings)
    assert "no such operator" in await fail_to_start(runtime, settings)
    assert "TypeError" in caplog.text
    assert not runtime.ready


async def test_after_the_stop_nothing_is_accepted(open_app, caplog):
    caplog.set_level(logging.CRITICAL)
    async with open_app() as house:
        runtime = house.runtime
    assert house.inner.lifespan == ["startup", "shutdown"]
    assert not runtime.ready
    assert (await house.post("/", {"comment": "Well done"})).status == 503
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("settings", "french", "english"),
    [
        ({"threads": 3}, "loop/3", "thread/3"),
        ({"threads": 1, "execution": "thread"}, "thread/1", "thread/1"),
        ({"threads": 1, "execution": "loop"}, "loop/1", "loop/1"),
    ],
)
async def test_where_a_model_runs_stands_in_its_info(open_app, settings, french, english):
    async with open_app(**settings) as house:
        runtimes = {
            key[1]: key[2] for key in await house.series() if key[0] == "nlpserve_model_info"
        }
        assert runtimes == {"intent": f"spacy/{french}", "emotion": f"transformer-onnx/{english}"}
