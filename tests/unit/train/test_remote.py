import json
from http.server import BaseHTTPRequestHandler
from typing import ClassVar

import pytest

from bento.train.errors import UnreachableError
from bento.train.evaluate import evaluate
from bento.train.labelled import Labelled
from bento.train.remote import ServiceAnswers

FACTS = {"name": "m", "labels": ["no", "yes"], "limits": {"max_texts": 1024}}


def by_word(text):
    yes = 0.9 if "yes" in text else 0.1
    return {"label": "yes" if yes > 0.5 else "no", "scores": {"yes": yes, "no": 1 - yes}}


def service(statuses=(), answer=by_word, facts=FACTS):
    queue = list(statuses)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        sizes: ClassVar[list[int]] = []
        keys: ClassVar[list[str | None]] = []

        def do_GET(self):
            status = 200 if self.path == "/v1/models/m" else 404
            self.send(status, facts if status == 200 else {"detail": "no such model"})

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.keys.append(self.headers["Authorization"])
            status = queue.pop(0) if queue else 200
            if status != 200:
                self.send(status, {"detail": "the queue is full"})
                return
            self.sizes.append(len(body["texts"]))
            self.send(200, {"model": "m", "predictions": [answer(t) for t in body["texts"]]})

        def send(self, status, content):
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if status == 503:
                self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Handler


ROWS = [Labelled(f"{word} {number}", (word,)) for number in range(70) for word in ("yes", "no")]


def test_scores_the_whole_file_and_rides_out_an_overload(serve):
    handler = service(statuses=[200, 503, 503])
    with serve(handler) as url, ServiceAnswers(url + "/", "m", key="k", backoff=0) as model:
        result = evaluate(ROWS, model)
    assert result.labels == ("no", "yes")
    assert result.scores()["accuracy"] == 1.0
    assert result.scores()["ece"] == pytest.approx(0.1)
    assert handler.sizes == [64, 64, 64, 64, 12]
    assert set(handler.keys) == {"Bearer k"}


def test_a_request_holds_no_more_texts_than_the_service_takes(serve):
    handler = service(facts=FACTS | {"limits": {"max_texts": 48}})
    with serve(handler) as url, ServiceAnswers(url, "m", backoff=0) as model:
        assert evaluate(ROWS, model).scores()["accuracy"] == 1.0
    assert handler.sizes == [48, 16] * 4 + [12]


def test_gives_up_with_the_services_reason(serve):
    with (
        serve(service(statuses=[503] * 50)) as url,
        ServiceAnswers(url, "m", backoff=0) as model,
        pytest.raises(UnreachableError, match="answered 503: the queue is full"),
    ):
        model.answer(["yes"])


def test_other_refusals_are_not_tried_again(serve):
    with (
        serve(service(statuses=[422, 200])) as url,
        ServiceAnswers(url, "m", backoff=0) as model,
        pytest.raises(UnreachableError, match="answered 422"),
    ):
        model.answer(["yes"])


@pytest.mark.parametrize(
    "answer",
    [lambda text: {"label": "yes"}, lambda text: {"scores": {"yes": 1.0}}, lambda text: 3],
)
def test_answers_that_are_not_ours_are_named(serve, answer):
    with (
        serve(service(answer=answer)) as url,
        ServiceAnswers(url, "m", backoff=0) as model,
        pytest.raises(UnreachableError, match="did not answer with all scores"),
    ):
        model.answer(["yes"])


def test_a_model_or_service_that_is_not_there(serve):
    with serve(service()) as url, pytest.raises(UnreachableError, match="404: no such model"):
        ServiceAnswers(url, "other", backoff=0)
    with serve(service(facts={})) as url, pytest.raises(UnreachableError, match="which labels"):
        ServiceAnswers(url, "m", backoff=0)
    with pytest.raises(UnreachableError, match=r"does not answer: .*[Rr]efused"):
        ServiceAnswers("http://127.0.0.1:9", "m", backoff=0)
