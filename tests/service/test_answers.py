"""Every route on the wire, and real sentences with obvious answers."""

import re

import pytest
import requests

from nlpserve import __version__
from tests.service.harness import Server, talk

FRENCH = {
    "Je cherche un train de Paris à Marseille pour demain": "find-train",
    "Trouve-moi un vol pour Madrid la semaine prochaine": "find-flight",
    "Je veux réserver une chambre d'hôtel à Nice pour deux nuits": "find-hotel",
    "Trouve un restaurant italien pour ce soir": "find-restaurant",
    "À quelle heure passe le prochain film au cinéma ?": "provide-showtimes",
}
ENGLISH = {
    "Thank you so much for all your help, I really appreciate it": "gratitude",
    "I love you, my darling": "love",
    "Haha, that was hilarious, I can't stop laughing": "amusement",
    "I am so sorry, I apologize for what I did": "remorse",
    "Wow, I did not expect that, what a surprise": "surprise",
    "She died last year and I still cry every night": "sadness",
}
INTENTS = [
    "find-around-me", "find-flight", "find-hotel", "find-restaurant", "find-train", "irrelevant",
    "provide-showtimes", "purchase",
]  # fmt: skip
EMOTIONS = [
    "admiration", "amusement", "anger", "annoyance", "curiosity", "disapproval", "gratitude",
    "joy", "love", "neutral", "optimism", "remorse", "sadness", "surprise",
]  # fmt: skip
OPEN_ROUTES = {
    "/": "text/html; charset=utf-8",
    "/docs": "text/html; charset=utf-8",
    "/docs.json": "application/json",
    "/schema.json": "application/json",
    "/v1/models": "application/json",
    "/v1/models/intent": "application/json",
    "/v2": "application/json",
    "/v2/models/emotion": "application/json",
    "/v2/models/emotion/ready": "application/json",
    "/v2/health/live": "application/json",
    "/v2/health/ready": "application/json",
    "/livez": "text/plain; charset=utf-8",
    "/readyz": "text/plain; charset=utf-8",
    "/healthz": "text/plain; charset=utf-8",
}


@pytest.fixture(scope="module")
def session():
    with requests.Session() as session:
        yield session


class TestOrigin:
    @pytest.mark.parametrize("path", ["/api/intent", "/api/intent/"])
    def test_intents_of_french_sentences(self, server: Server, session, path):
        for sentence, intent in FRENCH.items():
            answer = session.get(server.url + path, params={"sentence": sentence}, timeout=20)
            assert answer.status_code == 200
            scores = answer.json()
            assert sorted(scores) == INTENTS
            assert sum(scores.values()) == pytest.approx(1, abs=1e-3)
            assert all(score == round(score, 4) for score in scores.values())
            assert max(scores, key=scores.__getitem__) == intent, sentence

    def test_emotions_of_english_comments(self, server, session):
        for comment, emotion in ENGLISH.items():
            answer = session.post(server.url + "/", json={"comment": comment}, timeout=20)
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "application/json"
            assert answer.json() == {"prediction": emotion}, comment

    def test_the_wrong_comment_has_the_origins_words(self, server, session):
        answer = session.post(server.url + "/", data={"comment": "a form"}, timeout=20)
        assert answer.status_code == 400
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.text == (
            "The message must be JSON in the form json={'comment': string_to_predict}."
        )


class TestShapes:
    def test_classify_many_texts_in_their_order(self, server, session):
        answer = session.post(
            server.url + "/v1/models/intent/classify", json={"texts": list(FRENCH)}, timeout=20
        ).json()
        assert answer["model"] == "intent"
        assert re.fullmatch(r"\d+\.\d+\.\d+.*", answer["version"])
        assert [prediction["label"] for prediction in answer["predictions"]] == [*FRENCH.values()]
        for prediction in answer["predictions"]:
            assert sorted(prediction["scores"]) == INTENTS
            best = max(prediction["scores"], key=prediction["scores"].__getitem__)
            assert prediction["label"] == best

    def test_the_models_facts(self, server, session):
        models = session.get(server.url + "/v1/models", timeout=20).json()["models"]
        assert [model["name"] for model in models] == ["intent", "emotion"]
        assert [sorted(model["labels"]) for model in models] == [INTENTS, EMOTIONS]
        assert [model["language"] for model in models] == ["fr", "en"]
        for model in models:
            assert 0.5 < model["scores"]["accuracy"] < 1
            assert re.fullmatch(r"[0-9a-f]{64}", model["sha256"])
            assert model["limits"]["max_texts"] == 256
            assert model["limits"]["deadline_seconds"] == 5
            assert model["live"]["ready"] is True
            alone = session.get(server.url + f"/v1/models/{model['name']}", timeout=20).json()
            assert {**alone, "live": None} == {**model, "live": None}

    def test_the_inference_protocol(self, server, session):
        assert session.get(server.url + "/v2", timeout=20).json() == {
            "name": "nlpserve",
            "version": __version__,
            "extensions": ["binary_tensor_data"],
        }
        tensor = {"name": "text", "datatype": "BYTES", "shape": [2], "data": [*ENGLISH][:2]}
        answer = session.post(
            server.url + "/v2/models/emotion/infer",
            json={"id": "a", "inputs": [tensor]},
            timeout=20,
        ).json()
        label, scores = answer["outputs"]
        assert (answer["model_name"], answer["id"]) == ("emotion", "a")
        assert (label["datatype"], label["shape"]) == ("BYTES", [2])
        assert label["data"] == ["gratitude", "love"]
        assert (scores["datatype"], scores["shape"]) == ("FP32", [2, 14])
        assert len(scores["data"]) == 28

    @pytest.mark.parametrize(("path", "content_type"), OPEN_ROUTES.items())
    def test_get_and_head(self, server, session, path, content_type):
        answer = session.get(server.url + path, timeout=20)
        head = session.head(server.url + path, timeout=20)
        assert answer.status_code == head.status_code == 200
        assert answer.headers["content-type"] == head.headers["content-type"] == content_type
        assert head.text == ""
        assert head.headers["content-length"] == str(len(answer.content))

    def test_metrics_are_in_prometheus_format(self, server, session):
        answer = session.get(server.url + "/metrics", timeout=20)
        assert answer.headers["content-type"].startswith("text/plain; version=")
        assert 'nlpserve_model_info{model="emotion"' in answer.text
        assert "process_resident_memory_bytes" in answer.text

    def test_identifiers_come_back(self, server, session):
        trace = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"
        headers = {"X-Request-Id": "mine-1", "traceparent": trace}
        good = session.get(server.url + "/v1/models", headers=headers, timeout=20)
        bad = session.get(server.url + "/v1/models/none", headers=headers, timeout=20)
        native = session.post(
            server.url + "/classify", json={"texts": ["oui"]}, headers=headers, timeout=20
        )
        for answer in (good, bad, native):
            assert answer.headers["x-request-id"] == "mine-1"
            assert answer.headers["traceparent"] == trace
        assert bad.json()["request_id"] == "mine-1"
        assert bad.json()["traceparent"] == trace
        assert f"request_id=mine-1 traceparent={trace}" in server.log
        assert session.get(server.url + "/v1/models", timeout=20).headers["x-request-id"]

    def test_http_1_0_and_pipelined_requests(self, server):
        answer = talk(server.port, b"GET /livez HTTP/1.0\r\n\r\n")
        assert (answer.status, answer.body) == (200, b"ok\n")
        one = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
        last = b"GET /v2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        first = talk(server.port, one + one + last)
        assert first.status == 200


def test_nothing_is_logged_of_predictions_unless_wanted(server, session, tmp_path_factory):
    session.post(server.url + "/", json={"comment": "a secret of mine"}, timeout=20)
    assert not list(tmp_path_factory.getbasetemp().glob("server*/predictions.txt*"))
    assert "a secret of mine" not in server.log
