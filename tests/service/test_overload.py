"""More than the server can take: 503 at once, said why, and nothing lost."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import requests

from tests.service.harness import OWN, Change, Server, post_bytes, talk

CLIENTS = 32
REQUESTS = 12
TEXTS = 8
LONG = "It was a dark and stormy night, and nobody knew what to say about it all. " * 12
REASONS = {
    "The queue holds": "queue_full",
    "The wait would be": "deadline",
    "Waited longer": "expired",
}


SMALL = {"models": "emotion", "threads": "1", "max_batch_size": str(TEXTS), "max_texts": "16"}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A slow model behind a short queue, with time enough."""
    folder = tmp_path_factory.mktemp("small")
    with Server(folder, **SMALL, queue_limit="16", deadline_seconds="60") as running:
        yield running


@pytest.fixture(scope="module")
def hurried(tmp_path_factory):
    """A slow model behind a long queue, with a deadline that few can meet."""
    folder = tmp_path_factory.mktemp("hurried")
    with Server(folder, launcher=OWN, **SMALL, deadline_seconds="0.03") as running:
        yield running


def send(server: Server, count: int) -> list[tuple[int, str, int]]:
    """Status, reason and texts answered, of each request."""
    seen = []
    body = json.dumps({"texts": [LONG] * TEXTS})
    with requests.Session() as session:
        for _ in range(count):
            answer = session.post(
                server.url + "/v1/models/emotion/classify",
                data=body,
                headers={"Content-Type": "application/json"},
                timeout=60,
            )
            reason = ""
            if answer.status_code == 503:
                assert answer.headers["content-type"] == "application/problem+json"
                assert 1 <= int(answer.headers["retry-after"]) <= 60
                problem = answer.json()
                assert problem["title"] == "Overloaded"
                reason = next(
                    reason for words, reason in REASONS.items() if words in problem["detail"]
                )
            texts = len(answer.json().get("predictions", ()))
            seen.append((answer.status_code, reason, texts))
    return seen


@pytest.mark.parametrize(
    ("name", "possible"), [("small", {"queue_full"}), ("hurried", {"deadline", "expired"})]
)
def test_answered_and_shed_are_all_that_was_sent(request, name, possible):
    server = request.getfixturevalue(name)
    change = Change(server)
    with ThreadPoolExecutor(CLIENTS) as pool:
        rows = pool.map(lambda _: send(server, REQUESTS), range(CLIENTS))
        seen = [row for client in rows for row in client]
    change.take()
    codes = Counter(code for code, _, _ in seen)
    reasons = Counter(reason for _, reason, _ in seen if reason)
    assert set(codes) == {200, 503}
    assert codes[200] + codes[503] == CLIENTS * REQUESTS == change.total("requests_total")
    assert change.by("requests_total", "code") == {str(code): n for code, n in codes.items()}
    assert change.by("rejected_total", "reason", model="emotion") == dict(reasons)
    assert reasons
    assert set(reasons) <= possible
    assert all(texts == TEXTS for code, _, texts in seen if code == 200)
    assert server.metrics().total("in_flight") == 0
    assert server.metrics().total("queue_depth") == 0


def test_it_answers_as_before_when_the_load_is_gone(small):
    answer = requests.post(
        small.url + "/v1/models/emotion/classify", json={"texts": ["Thanks a lot!"]}, timeout=20
    )
    assert answer.json()["predictions"][0]["label"] == "gratitude"
    assert small.get("/readyz")[0] == small.get("/livez")[0] == 200


@pytest.mark.parametrize(
    ("route", "more"), [("/v1/models/emotion/classify", {}), ("/classify", {"model": "emotion"})]
)
def test_who_leaves_while_waiting_is_not_computed_for(small, route, more):
    """On the lean layer's own routes and on BentoML's."""
    whole = post_bytes(route, json.dumps({"texts": ["Thanks!"], **more}).encode())
    busy = {"texts": [LONG] * 2 * TEXTS}  # two batches
    url = small.url + "/v1/models/emotion/classify"
    change = Change(small)
    tries = 0
    with ThreadPoolExecutor(1) as pool:
        while not change.take().total("requests_total", code="499"):
            tries += 1
            assert tries < 20  # now and then the model is free sooner
            long = pool.submit(requests.post, url, json=busy, timeout=60)
            while not small.metrics().total("in_flight") and not long.done():
                pass
            with suppress(TimeoutError):
                talk(small.port, whole, timeout=0.05)
            assert long.result().status_code == 200
    codes = change.by("requests_total", "code", model="emotion")
    assert codes.pop("499") == 1
    assert codes == {"200": codes["200"]}
    in_time = codes["200"] - tries
    assert change.total("batch_size_sum") == 2 * TEXTS * tries + in_time


def test_memory_stays_bounded(small):
    """Far more bytes than the bound go through while the queue is full."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda _: send(small, 3), range(CLIENTS)))
    before = small.worker().memory_info().rss
    body = json.dumps({"texts": ["x" * 9_000] * 100})  # 900 KB, refused only when it is read
    headers = {"Content-Type": "application/json"}

    def flood(_: int) -> list[int]:
        with requests.Session() as session:
            url = small.url + "/v1/models/emotion/classify"
            return [
                session.post(url, data=body, headers=headers, timeout=60).status_code
                for _ in range(15)
            ]

    with ThreadPoolExecutor(CLIENTS) as pool:
        codes = {code for codes in pool.map(flood, range(CLIENTS)) for code in codes}
    assert codes == {413}
    grown = small.worker().memory_info().rss - before
    assert grown < 150_000_000, f"{grown / 1e6:.0f} MB more after {CLIENTS * 15} bodies of 0.9 MB"
