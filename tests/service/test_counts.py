"""The counters say exactly what the clients sent and got, also when many send at once."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from nlpserve import routes
from tests.service.harness import Change, Server

THREADS = 8
REQUESTS = 50


class Seen:
    """What a client counted, to be compared with the server's counters."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, str]] = Counter()  # model, route, code
        self.labels: Counter[tuple[str, str]] = Counter()  # model, label
        self.characters: Counter[str] = Counter()  # of the model's texts

    def add(self, other: "Seen") -> None:
        self.requests += other.requests
        self.labels += other.labels
        self.characters += other.characters

    def total(self, **wanted: str) -> int:
        """Requests with these of model, route and code."""
        names = ("model", "route", "code")
        return sum(
            count
            for values, count in self.requests.items()
            if wanted.items() <= dict(zip(names, values, strict=True)).items()
        )


def labels_of(route: str, answer: Any) -> list[str]:
    """The labels in an answer's JSON."""
    match route:
        case routes.INTENT:
            return [max(answer, key=answer.get)]
        case routes.ROOT:
            return [answer["prediction"]]
        case routes.V1_CLASSIFY:
            return [prediction["label"] for prediction in answer["predictions"]]
        case routes.V2_INFER:
            return next(out["data"] for out in answer["outputs"] if out["name"] == "label")
        case _:
            return [prediction["label"] for prediction in answer]


def run_client(server: Server, number: int) -> Seen:
    """A seeded mix of requests on one kept connection."""
    rng = random.Random(number)
    seen = Seen()
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
            seen.requests[key, route, str(answer.status_code)] += 1
            if answer.status_code == 200:
                labels = labels_of(route, answer.json())
                seen.labels.update((key, label) for label in labels)
                seen.characters[key] += len(text) * len(labels)
    return seen


def test_counters_agree_exactly_with_many_clients(server):
    change = Change(server)
    with ThreadPoolExecutor(THREADS) as pool:
        counted = list(pool.map(lambda number: run_client(server, number), range(THREADS)))
    seen = Seen()
    for one in counted:
        seen.add(one)
    change.take()

    expected = {"bad": "422", "none": "404"}
    assert {code for _, _, code in seen.requests} == {"200", *expected.values()}
    for (model, route, code), count in seen.requests.items():
        place = {"model": model, "route": route}
        assert change.total("requests_total", **place, code=code) == count, (place, code)
        assert change.total("request_duration_seconds_count", **place) == seen.total(**place)
    assert change.total("requests_total") == seen.total()  # the probes are not there
    for model, code in (("intent", "422"), ("none", "404")):
        refused = change.by("rejected_total", "reason", model=model)
        assert refused == {"invalid": seen.total(model=model, code=code)}
    assert change.total("rejected_total") == seen.total() - seen.total(code="200")
    assert change.total("prediction_log_dropped_total") == 0

    for model, characters in seen.characters.items():
        labels = {label: n for (m, label), n in seen.labels.items() if m == model}
        assert change.by("predictions_total", "label", model=model) == labels
        count = sum(labels.values())
        assert change.total("text_characters_count", model=model) == count
        assert change.total("text_characters_sum", model=model) == characters
        assert change.total("confidence_count", model=model) == count
        assert change.total("queue_wait_seconds_count", model=model) == count
        assert change.total("batch_size_sum", model=model) == count
        batches = change.total("batches_total", model=model)
        assert 1 <= batches <= count
        assert change.total("batch_size_count", model=model) == batches
        assert change.total("batch_duration_seconds_count", model=model) == batches
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
