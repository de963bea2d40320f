"""Drift as a scrape shows it, of texts that went through the real service."""

import time
from random import Random

import pytest
import requests

from nlpserve.metrics import DriftFeature
from nlpserve.sentences import sentences
from tests.service.harness import OWN, Server

TEXTS = 16
MOST_SECONDS = 60.0


def send_until(server: Server, texts: list[str], enough) -> dict[str, float]:
    """Ask for these texts again and again until the gauge is `enough`; the last indices seen."""
    found: dict[str, float] = {}
    deadline = time.monotonic() + MOST_SECONDS
    with requests.Session() as session:
        while time.monotonic() < deadline:
            for start in range(0, len(texts), TEXTS):
                answer = session.post(
                    server.url + "/v1/models/intent/classify",
                    json={"texts": texts[start : start + TEXTS]},
                    timeout=30,
                )
                assert answer.status_code == 200
            found = server.metrics().by("drift_psi", "feature", model="intent")
            if enough(found):
                return found
    raise AssertionError(f"the indices stayed at {found}")


def gibberish(count: int) -> list[str]:
    rng = Random(3)
    letters = "abcdefghijklmnopqrstuvwxyz   "
    return ["".join(rng.choices(letters, k=rng.randint(4, 60))) + "x" for _ in range(count)]


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """The intent model, with as many texts sampled as can be."""
    folder = tmp_path_factory.mktemp("watched")
    with Server(folder, launcher=OWN, models="intent", drift_documents_per_second="100") as running:
        yield running


def test_other_texts_are_told_from_those_of_the_models_domain(watched):
    assert watched.metrics().by("drift_psi", "feature") == {}  # too few, and no zero in their place
    own = send_until(watched, sentences("fr", 320, seed=11), lambda found: len(found) == 4)
    assert set(own) == set(DriftFeature)
    assert all(index < 0.25 for index in own.values())

    strange = send_until(
        watched,
        gibberish(320),
        lambda found: min(found["unknown_words"], found["labels"], found["confidence"]) > 0.25,
    )
    assert strange["unknown_words"] > 10 * own["unknown_words"]


def test_a_model_without_a_profile_has_no_gauge_and_says_so_once(strict):
    assert strict.metrics().by("drift_psi", "feature") == {}
    assert strict.log.count("has no training profile: no drift is told") == 1
