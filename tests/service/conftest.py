"""Servers that several tests share. Each is the real `bentoml serve`, on the loopback."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

with warnings.catch_warnings():  # of libraries, as they are imported
    warnings.simplefilter("ignore")
    import bentoml

    bentoml.SyncHTTPClient  # noqa: B018  loaded on first use, with warnings of its own

from tests.service.harness import Server, make_artifact

TOPICS = [f"topic{number}" for number in range(40)]
KEYS = ("the-old-key", "the-new-key")
HASH_KEY = "a key of this deployment"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """On a failure, say what the test's servers said last."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, Server):
                report.sections.append((f"log of {name}", value.log_tail()))


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[Server]:
    """Both shipped models, default settings."""
    folder = tmp_path_factory.mktemp("server")
    with Server(folder, predictions_log_file=str(folder / "predictions.txt")) as running:
        yield running


@pytest.fixture(scope="session")
def topics(tmp_path_factory) -> Path:
    """A small artifact with many labels."""
    return make_artifact(tmp_path_factory.mktemp("topics"), "topics", TOPICS)


@pytest.fixture(scope="session")
def strict_predictions(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("strict-log") / "predictions.txt"


@pytest.fixture(scope="session")
def strict(tmp_path_factory, topics, strict_predictions) -> Iterator[Server]:
    """A user's model, API keys, impatient timeouts, hashed predictions."""
    folder = tmp_path_factory.mktemp("strict")
    keys = folder / "keys"
    keys.write_text("\n".join(KEYS) + "\n", encoding="utf-8")
    with Server(
        folder,
        models=f"topics={topics}",
        api_keys_file=str(keys),
        body_timeout_seconds="0.5",
        head_timeout_seconds="0.5",
        predictions_log="hash",
        predictions_log_key=HASH_KEY,
        predictions_log_file=str(strict_predictions),
    ) as running:
        yield running
