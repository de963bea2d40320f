"""How many series a server has: bounded by models, labels and routes, whatever clients send."""

import http.client
import json
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from urllib.parse import quote

import pytest

from nlpserve import metrics as names
from nlpserve import routes
from tests.chart.rendering import program, run
from tests.service.harness import OWN, Change, Server

PAGE = Path(__file__).parents[2] / "docs" / "monitoring.md"
MODELS = ("intent", "emotion")
# The budget in docs/monitoring.md: series of a model beside one for each label, of a route beside
# one for each status, statuses that the service has (docs/service.md), series of the process.
OF_A_MODEL = 90
OF_A_ROUTE = 16
STATUSES = 11
OF_THE_PROCESS = 30
PER_ROUTE = {
    names.REQUESTS + "_total",
    *(names.REQUEST_DURATION + s for s in ("_bucket", "_sum", "_count")),
}

Sent = tuple[str, str, object]


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("fuzzed"), launcher=OWN) as running:
        yield running


def word(rng: Random) -> str:
    letters = "abcxyzABC019-._~éß漢字🙂 %/\\\"'{}\t"
    return "".join(rng.choices(letters, k=rng.randint(1, 40)))


def every_kind(rng: Random) -> Iterator[Sent]:
    """One request of each kind that the service tells apart, what is in it drawn anew."""
    for model in (*MODELS, quote(word(rng), safe="")):
        yield "POST", f"/v1/models/{model}/classify", {"texts": [word(rng) for _ in range(3)]}
        yield "POST", f"/v1/models/{model}/classify", {"texts": [""], word(rng): word(rng)}
        yield "POST", f"/v1/models/{model}/classify", {"texts": [(word(rng) * 10_001)[:10_001]]}
        yield "GET", f"/v1/models/{model}", None
        yield "GET", f"/v2/models/{model}", None
        yield "GET", f"/v2/models/{model}/ready", None
        tensor = {"name": "text", "datatype": "BYTES", "shape": [1], "data": [word(rng)]}
        yield "POST", f"/v2/models/{model}/infer", {"id": word(rng), "inputs": [tensor]}
        yield "POST", f"/v2/models/{model}/infer", {"inputs": [tensor | {"datatype": word(rng)}]}
        yield "DELETE", f"/v1/models/{model}/classify", None
    yield "GET", f"{routes.INTENT}?sentence={quote(word(rng))}", None
    yield "GET", f"{routes.INTENT}?{quote(word(rng))}={quote(word(rng))}", None
    yield "POST", "/", {"comment": word(rng)}
    yield "POST", "/", {word(rng): word(rng)}
    yield "POST", "/classify", {"texts": [word(rng)], "model": "intent"}
    yield "POST", "/classify", {"texts": [word(rng)], "model": word(rng)}
    for path in (word(rng), f"{word(rng)}/{word(rng)}", "v1/" + word(rng), word(rng) * 100):
        yield "GET", "/" + quote(path), None
        yield "POST", "/" + quote(path), {word(rng): word(rng)}
        yield rng.choice(("BREW", "PROPFIND", "PATCH")), "/" + quote(path), None
    yield "GET", f"/readyz?{quote(word(rng))}", None


def send(server: Server, sent: Sent, rng: Random) -> int:
    """From an address of its own, with headers of its own, on a new connection."""
    method, path, content = sent
    source = f"127.0.0.{rng.randint(2, 250)}"
    headers = {
        name: quote(word(rng))
        for name in ("User-Agent", "X-Request-Id", "X-Forwarded-For", "X-API-Key", "Referer")
    }
    headers["traceparent"] = f"00-{rng.randbytes(16).hex()}-{rng.randbytes(8).hex()}-01"
    headers["Host"] = f"h{rng.randint(0, 9999)}.example"
    headers[f"X-{rng.randint(0, 9999)}"] = "a"
    connection = http.client.HTTPConnection(
        "127.0.0.1", server.port, timeout=30, source_address=(source, 0)
    )
    try:
        body = None if content is None else json.dumps(content)
        connection.request(
            method, path, body, headers | ({"Content-Type": "application/json"} if body else {})
        )
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def test_no_path_text_client_or_header_makes_a_series(fuzzed):
    rng = Random(4)
    statuses = {send(fuzzed, sent, rng) for sent in every_kind(rng)}
    assert {200, 404, 405, 413, 422} <= statuses
    before = fuzzed.metrics().series
    change = Change(fuzzed)
    for _ in range(6):
        for sent in every_kind(rng):
            send(fuzzed, sent, rng)
    change.take()
    assert change.total("requests_total") > 200  # counted, in series that were there
    new = {name for name, _ in fuzzed.metrics().series - before}
    assert new <= {names.DRIFT_PSI}  # which waits for enough texts


def test_the_series_of_a_server_are_within_the_budget(fuzzed):
    rng = Random(5)
    for sent in every_kind(rng):
        send(fuzzed, sent, rng)
    series = [(name, dict(labels)) for name, labels in fuzzed.metrics().series]
    for model in MODELS:
        own = [s for s in series if s[1].get("model") == model]
        plain = [name for name, _ in own if name not in PER_ROUTE]
        labels = plain.count(names.PREDICTIONS + "_total")
        assert labels in (8, 14)
        assert len(plain) - labels <= OF_A_MODEL
        asked = {labels["route"] for name, labels in own if name in PER_ROUTE}
        assert len(asked) >= 5
        for route in asked:
            of_route = [name for name, labels in own if labels.get("route") == route]
            statuses = of_route.count(names.REQUESTS + "_total")
            assert statuses <= STATUSES
            assert len(of_route) == OF_A_ROUTE + statuses
    nameless = [name for name, labels in series if "model" not in labels]
    assert len(nameless) <= OF_THE_PROCESS


def test_the_budget_is_documented():
    text = PAGE.read_text(encoding="utf-8")
    (said,) = re.findall(r"(\d+) \+ labels \+ routes asked \S \((\d+) \+ statuses\)", text)
    assert said == (str(OF_A_MODEL), str(OF_A_ROUTE))
    assert f"{STATUSES} statuses" in text
    assert f"{OF_THE_PROCESS} of the process" in text


def test_the_page_keeps_prometheus_conventions(fuzzed):
    """Names, units, types and help texts, as `promtool check metrics` sees them."""
    rng = Random(6)
    for sent in every_kind(rng):
        send(fuzzed, sent, rng)
    status, page = fuzzed.get("/metrics")
    assert status == 200
    done = run([program("promtool"), "check", "metrics"], text=page.decode())
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    wrong = page.decode().replace("nlpserve_in_flight", "nlpserve_in_flight_total")
    assert run([program("promtool"), "check", "metrics"], text=wrong).returncode != 0
