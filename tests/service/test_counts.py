"""The counters say exactly what the clients sent and got, also when many send at once."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import requests

from nlpserve import routes
from tests.service.harness import Change, Server

THREADS = 8
REQUESTS = 50


def run_client(server: Server, number: int) -> Counter[tuple[str, str, str]]:
    """A seeded mix of requests on one kept connection: (model, route, code) of each answer."""
    rng = random.Random(number)
    seen: Counter[tuple[str, str, str]] = Counter()
    with requests.Session() as session:
        for position in range(REQUESTS):
            text = f"texte {number} {position}"
            match rng.choice(("intent", "comment", "v1", "v2", "bento", "bad", "none", "probe")):
                case "intent":
                    path, body, key = f"/api/intent?sentence={text}", None, "intent"
                    route = routes.INTENT
                case "comment":
                    path, body, key, route = "/", {"comment": text}, "emotion", routes.ROOT
                case "v1":
                    path, body = "/v1/models/emotion/classify", {"texts": [text] * 3}
                    key, route = "emotion", routes.V1_CLASSIFY
                case "v2":
                    tensor = {"name": "text", "datatype": "BYTES", "shape": [1], "data": [text]}
                    path, body, key = "/v2/models/intent/infer", {"inputs": [tensor]}, "intent"
                    route = routes.V2_INFER
                case "bento":
                    path, body, key = "/classify", {"texts": [text], "model": "emotion"}, "emotion"
                    route = routes.BENTO_CLASSIFY
                case "bad":
                    path, body, key = "/v1/models/intent/classify", {"texts": [""]}, "intent"
                    route = routes.V1_CLASSIFY
                case "none":
                    path, body, key, route = "/nowhere", {"a": 1}, "none", routes.UNMATCHED
                case "probe":
                    session.get(server.url + "/readyz", timeout=30)
                    continue
            answer = session.request(
                "GET" if body is None else "POST", server.url + path, json=body, timeout=30
            )
            seen[key, route, str(answer.status_code)] += 1
    return seen


def test_counters_agree_exactly_with_many_clients(server):
    change = Change(server)
    with ThreadPoolExecutor(THREADS) as pool:
        counted = list(pool.map(lambda number: run_client(server, number), range(THREADS)))
    seen = sum(counted, Counter())
    change.take()

    expected = {"bad": "422", "none": "404"}
    assert {code for _, _, code in seen} == {"200", *expected.values()}
    for (model, route, code), count in seen.items():
        labels = {"model": model, "route": route, "code": code}
        assert change.total("requests_total", **labels) == count, labels
        assert change.total("request_duration_seconds_count", model=model, route=route) == sum(
            number for (m, r, _), number in seen.items() if (m, r) == (model, route)
        )
    assert change.total("requests_total") == sum(seen.values())  # the probes are not there
    refused = sum(count for (_, _, code), count in seen.items() if code != "200")
    assert change.by("rejected_total", "reason") == {"invalid": refused}

    texts = Counter()
    for (model, route, code), count in seen.items():
        if code == "200":
            texts[model] += count * (3 if route == routes.V1_CLASSIFY else 1)
    for model, count in texts.items():
        assert change.total("predictions_total", model=model) == count
        assert change.total("text_characters_count", model=model) == count
        assert change.total("confidence_count", model=model) == count
        assert change.total("queue_wait_seconds_count", model=model) == count
        assert change.total("batch_size_sum", model=model) == count
    assert change.total("in_flight") == 0
    assert server.metrics().total("in_flight") == 0
    assert server.metrics().total("queue_depth") == 0


def test_routes_are_templates_whatever_was_asked(server):
    for path in ("/a", "/a/b", "/v1/models/x/classify", "/v1/models/x", "/%2e%2e/etc/passwd"):
        requests.get(server.url + path, timeout=20)
    known = {value for name, value in vars(routes).items() if name.isupper() and value}
    found = set(server.metrics().by("requests_total", "route"))
    assert found <= {*(route for route in known if isinstance(route, str)), "/schema.json",
                     "/static_content/"}  # fmt: skip
