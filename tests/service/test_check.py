"""`python -m bento.check` against real servers, and against answers that were tampered with."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from bento.check.client import Client
from bento.check.serving import CHECKS, Expected, run_checks
from nlpserve import metrics, routes
from tests.service.conftest import KEYS

ROOT = Path(__file__).parents[2]
INTENT = Expected("intent", "un train pour Lyon demain matin", "find-train")
EMOTION = Expected("emotion", "Thanks a lot, this made my day!", "gratitude")


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bento.check", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def failures(client: Client, expected: Expected) -> set[str]:
    return {name for name, _, good in run_checks(client, expected) if not good}


@pytest.mark.parametrize("expected", [INTENT, EMOTION], ids=lambda expected: expected.model)
def test_the_shipped_models_pass(server, expected):
    with Client(server.url) as client:
        results = list(run_checks(client, expected))
    assert [name for name, _, good in results if not good] == []
    assert [name for name, _, _ in results] == list(CHECKS)


def test_a_model_of_ones_own_behind_a_key_passes(strict, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text(f"\n{KEYS[1]}\n", encoding="utf-8")
    done = command(
        "model", strict.url, "--model", "topics", "--text", "topic7", "--label", "topic7",
        "--keys-file", str(keys),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "401 without the key" in done.stdout


def test_a_wrong_label_fails(server):
    done = command("model", server.url, "--model", "intent", "--text", INTENT.text, "--label", "no")
    assert done.returncode == 1
    assert "FAILED classify: 'un train pour Lyon demain matin' is find-train instead" in done.stdout
    assert "FAILED inference protocol" in done.stdout
    assert "FAILED origin's route" in done.stdout


def test_a_model_that_is_not_there_fails(server):
    done = command("model", server.url, "--model", "other", "--text", "x")
    assert done.returncode == 1
    assert "status 404 instead of 200" in done.stdout


def test_a_server_that_is_not_there_fails():
    done = command(
        "model", "http://127.0.0.1:9", "--model", "intent", "--text", "x", "--wait", "0.1"
    )
    assert done.returncode == 1
    assert "was not ready within 0.1 s" in done.stderr


class Tampered(Client):
    """Answers to one path are changed on their way."""

    def __init__(self, url, path, change):
        super().__init__(url)
        self._path, self._change = path, change

    def _ask(self, method, path, *arguments, **options):
        answer = super()._ask(method, path, *arguments, **options)
        return self._change(answer) if path.startswith(self._path) else answer


def changed_json(change):
    def tamper(answer):
        content = json.loads(answer.body)
        change(content)
        return dataclasses.replace(answer, body=json.dumps(content).encode())

    return tamper


def without_limit(answer):
    """As if a server had answered what is over its limits."""
    return dataclasses.replace(answer, status=200) if answer.status == 413 else answer


def other_type(answer):
    headers = {**answer.headers, "content-type": "application/json"}
    return dataclasses.replace(answer, headers=headers) if answer.status >= 400 else answer


def without(word):
    return lambda answer: dataclasses.replace(
        answer, body=answer.body.replace(word.encode(), b"other_word")
    )


def uneven(content):
    if "predictions" in content:
        content["predictions"][0]["scores"]["irrelevant"] = 1.0


CLASSIFY = routes.V1_CLASSIFY.format(model="intent")
FACTS = routes.V1_MODEL.format(model="intent")


@pytest.mark.parametrize(
    ("path", "change", "failing"),
    [
        (CLASSIFY, changed_json(uneven), {"classify"}),
        (FACTS, changed_json(lambda c: c.get("labels", [0]).pop()), {"classify"}),
        (CLASSIFY, without_limit, {"limits"}),
        (CLASSIFY, other_type, {"limits", "wrong requests"}),
        (routes.METRICS, without(metrics.QUEUE_WAIT), {"metrics"}),
        (routes.METRICS, without(f"{metrics.REQUESTS}_total{{"), {"metrics"}),
        (routes.INTENT, without("find-train"), {"origin's route"}),
        ("/v2/", without("find-train"), {"inference protocol"}),
    ],
)
def test_what_is_not_as_documented_fails(server, path, change, failing):
    with Tampered(server.url, path, change) as client:
        assert failures(client, INTENT) == failing


def test_a_server_that_should_want_a_key_and_does_not_fails(server):
    with Client(server.url) as client:
        assert failures(client, dataclasses.replace(INTENT, key_wanted=True)) == {"API key"}
