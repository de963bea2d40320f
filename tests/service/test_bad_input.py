"""What strangers send, over real sockets: a clear 4xx each, and no harm to others."""

import json
import re
import socket
import threading
from urllib.parse import quote

import pytest
import requests

from nlpserve import routes
from tests.service.harness import HOST, Answer, Change, Server, post_bytes, talk

V1 = "/v1/models/intent/classify"
V2 = "/v2/models/emotion/infer"
ORIGIN_TEXT = b"The message must be JSON in the form json={'comment': string_to_predict}."
JSON = "application/json"


def as_json(content: object) -> bytes:
    return json.dumps(content).encode()


def tensor(**changes: object) -> bytes:
    return as_json(
        {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": ["a"], **changes}]}
    )


def get(path: str, method: str = "GET") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()


def chunked(path: str, *chunks: bytes) -> list[bytes]:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: {JSON}\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    )
    return [head.encode(), *(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)]


# name → (request, status, words of the detail, route label, reason label)
WRONG = {
    "malformed JSON": (
        post_bytes(V1, b'{"texts": ["a"'), 400, "not JSON", routes.V1_CLASSIFY, "invalid"
    ),
    "JSON cut within UTF-8": (
        post_bytes(V1, b'{"texts": ["\xc3"]}'), 400, "not JSON", routes.V1_CLASSIFY, "invalid"
    ),
    "Latin-1": (
        post_bytes(V1, '{"texts": ["été"]}'.encode("latin-1")),
        400, "not JSON", routes.V1_CLASSIFY, "invalid",
    ),
    "UTF-16": (
        post_bytes(V1, '{"texts": ["a"]}'.encode("utf-16")),
        400, "not JSON", routes.V1_CLASSIFY, "invalid",
    ),
    "not a number": (
        post_bytes(V1, b'{"texts": [NaN]}'), 400, "not JSON", routes.V1_CLASSIFY, "invalid"
    ),
    "empty body": (post_bytes(V1, b""), 400, "empty", routes.V1_CLASSIFY, "invalid"),
    "a list": (post_bytes(V1, b'["a"]'), 422, "object", routes.V1_CLASSIFY, "invalid"),
    "no texts": (post_bytes(V1, b"{}"), 422, "texts", routes.V1_CLASSIFY, "invalid"),
    "zero texts": (
        post_bytes(V1, b'{"texts": []}'), 422, "texts is empty", routes.V1_CLASSIFY, "invalid"
    ),
    "a string for texts": (
        post_bytes(V1, b'{"texts": "a"}'), 422, "list of strings", routes.V1_CLASSIFY, "invalid"
    ),
    "a number in texts": (
        post_bytes(V1, b'{"texts": ["a", 1]}'), 422, "texts[1]", routes.V1_CLASSIFY, "invalid"
    ),
    "null in texts": (
        post_bytes(V1, b'{"texts": [null]}'), 422, "texts[0]", routes.V1_CLASSIFY, "invalid"
    ),
    "an unknown field": (
        post_bytes(V1, b'{"texts": ["a"], "x": 1}'),
        422, "nothing but texts", routes.V1_CLASSIFY, "invalid",
    ),
    "an empty text": (
        post_bytes(V1, b'{"texts": ["a", ""]}'),
        422, "texts[1] is empty", routes.V1_CLASSIFY, "invalid",
    ),
    "white space": (
        post_bytes(V1, as_json({"texts": [" \t\n\u2003"]})),
        422, "texts[0] is empty", routes.V1_CLASSIFY, "invalid",
    ),
    "a long text": (
        post_bytes(V1, as_json({"texts": ["a" * 10_001]})),
        413, "max_characters", routes.V1_CLASSIFY, "too_large",
    ),
    "a word of 100 KB": (
        post_bytes(V1, as_json({"texts": ["anticonstitutionnellement" * 4_000]})),
        413, "max_characters", routes.V1_CLASSIFY, "too_large",
    ),
    "many texts": (
        post_bytes(V1, as_json({"texts": ["a"] * 257})),
        413, "max_texts", routes.V1_CLASSIFY, "too_large",
    ),
    "a large body": (
        post_bytes(V1, as_json({"texts": ["a" * 1_100_000]})),
        413, "max_body_bytes", routes.V1_CLASSIFY, "too_large",
    ),
    "a large body in chunks": (
        b"".join(chunked(V1, *[b"x" * 65_536] * 20)),
        413, "max_body_bytes", routes.V1_CLASSIFY, "too_large",
    ),
    "deep lists": (
        post_bytes(V1, b"[" * 100_000), 413, "max_json_depth", routes.V1_CLASSIFY, "too_large"
    ),
    "deep objects": (
        post_bytes(V1, b'{"a":' * 5_000 + b"1" + b"}" * 5_000),
        413, "max_json_depth", routes.V1_CLASSIFY, "too_large",
    ),
    "a lone surrogate": (
        post_bytes(V1, b'{"texts": ["\\ud800"]}'), 400, "not JSON", routes.V1_CLASSIFY, "invalid"
    ),
    "a form": (
        post_bytes(V1, b"texts=a", "application/x-www-form-urlencoded"),
        415, "application/json", routes.V1_CLASSIFY, "invalid",
    ),
    "no content type": (
        post_bytes(V1, b'{"texts": ["a"]}', None),
        415, "application/json", routes.V1_CLASSIFY, "invalid",
    ),
    "an unknown model": (
        post_bytes("/v1/models/none/classify", b'{"texts": ["a"]}'),
        404, "serves intent, emotion", routes.UNMATCHED, "invalid",
    ),
    "a path for a model": (
        post_bytes("/v1/models/..%2f..%2fetc/classify", b'{"texts": ["a"]}'),
        404, "serves intent, emotion", routes.UNMATCHED, "invalid",
    ),
    "an unknown route": (get("/nothing/here"), 404, "no such route", routes.UNMATCHED, "invalid"),
    "a wrong method": (get(V1), 405, "use POST", routes.UNMATCHED, "invalid"),
    "another wrong method": (
        get("/v1/models", "DELETE"), 405, "use GET, HEAD", routes.UNMATCHED, "invalid"
    ),
    "BentoML's route with a wrong type": (
        post_bytes("/classify", b'{"texts": [1]}'),
        422, "texts[0]", routes.BENTO_CLASSIFY, "invalid",
    ),
    "BentoML's route with a number for a model": (
        post_bytes("/classify", b'{"texts": ["a"], "model": 1}'),
        422, "model must be", routes.BENTO_CLASSIFY, "invalid",
    ),
    "BentoML's route without texts": (
        post_bytes("/classify", b'{"model": "intent"}'),
        422, "texts", routes.BENTO_CLASSIFY, "invalid",
    ),
    "BentoML's route with a pickle": (
        post_bytes("/classify", b"\x80\x04N.", "application/vnd.bentoml+pickle"),
        415, "application/json", routes.BENTO_CLASSIFY, "invalid",
    ),
    "BentoML's route with an unknown model": (
        post_bytes("/classify", b'{"texts": ["a"], "model": "none"}'),
        404, "no such model", routes.BENTO_CLASSIFY, "invalid",
    ),
    "BentoML's route with a long text": (
        post_bytes("/classify", as_json({"texts": ["a" * 10_001]})),
        413, "max_characters", routes.BENTO_CLASSIFY, "too_large",
    ),
    "no sentence": (get("/api/intent"), 422, "sentence is missing", routes.INTENT, "invalid"),
    "an empty sentence": (
        get("/api/intent?sentence="), 422, "sentence is empty", routes.INTENT, "invalid"
    ),
    "a sentence in Latin-1": (
        get("/api/intent?sentence=%e9t%e9"), 400, "not UTF-8", routes.INTENT, "invalid"
    ),
    "a long sentence": (
        get("/api/intent?sentence=" + "a" * 10_001), 413, "max_characters", routes.INTENT,
        "too_large",
    ),
    "a long comment": (
        post_bytes("/", as_json({"comment": "a" * 10_001})),
        413, "max_characters", routes.ROOT, "too_large",
    ),
    "no inputs": (post_bytes(V2, b"{}"), 422, "one tensor", routes.V2_INFER, "invalid"),
    "a wrong tensor name": (
        post_bytes(V2, tensor(name="x")), 422, "must be text", routes.V2_INFER, "invalid"
    ),
    "a wrong datatype": (
        post_bytes(V2, tensor(datatype="FP32")), 422, "must be BYTES", routes.V2_INFER, "invalid"
    ),
    "a wrong shape": (
        post_bytes(V2, tensor(shape=[2])), 422, "its data holds 1", routes.V2_INFER, "invalid"
    ),
    "a negative shape": (
        post_bytes(V2, tensor(shape=[-1])), 422, "list of sizes", routes.V2_INFER, "invalid"
    ),
    "a huge shape": (
        post_bytes(V2, tensor(shape=[10**400])), 400, "", routes.V2_INFER, "invalid"
    ),
    "a large shape": (
        post_bytes(V2, tensor(shape=[2**62, 2**62])), 422, "shape", routes.V2_INFER, "invalid"
    ),
    "an unknown output": (
        post_bytes(V2, tensor()[:-1] + b', "outputs": [{"name": "x"}]}'),
        422, "outputs[0]", routes.V2_INFER, "invalid",
    ),
    "a binary header past the end": (
        post_bytes(V2, b"{}", None, "Inference-Header-Content-Length: 99"),
        400, "not within the body", routes.V2_INFER, "invalid",
    ),
    "a negative binary header": (
        post_bytes(V2, b"{}", None, "Inference-Header-Content-Length: -1"),
        400, "not within the body", routes.V2_INFER, "invalid",
    ),
}  # fmt: skip

WRONG_COMMENTS = {
    "malformed JSON": post_bytes("/", b'{"comment": '),
    "no comment": post_bytes("/", b'{"text": "a"}'),
    "a number": post_bytes("/", b'{"comment": 1}'),
    "an empty comment": post_bytes("/", b'{"comment": ""}'),
    "a form": post_bytes("/", b"comment=a", "application/x-www-form-urlencoded"),
    "no body": post_bytes("/", b""),
    "Latin-1": post_bytes("/", '{"comment": "é"}'.encode("latin-1")),
}

ODD = {
    "emoji": "Merci 🙏🏽👩‍👩‍👧 🏳️‍🌈",
    "NUL": "un\x00train",
    "NUL alone": "\x00",
    "control characters": "a\x01\x02\x1b[31m\x7f",
    "right-to-left": "مرحبا بالعالم \u202e gnihton",
    "combining marks": "e" + "\u0301" * 500,
    "an unassigned character": "\U000e0fff\U0010ffff",
    "a non-character": "\ufffe\uffff",
    "one character": "a",
    "a long word": "a" * 10_000,
    "long words": "ab " * 3_333,
    "a byte-order mark": "\ufeffun train",
    "line ends": "un\r\ntrain\u2028pour\u2029Lyon",
}

GOOD = b'{"texts": ["Je cherche un train pour Lyon demain matin"]}'


class Beside:
    """Good requests that go on all the time, each answer checked."""

    def __init__(self, server: Server) -> None:
        self.sent = 0
        self.wrong: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(server,))

    def __enter__(self) -> "Beside":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def _run(self, server: Server) -> None:
        headers = {"Content-Type": JSON}
        with requests.Session() as session:
            while not self._stop.wait(0.01):
                try:
                    answer = session.post(server.url + V1, data=GOOD, headers=headers, timeout=20)
                    label = answer.json()["predictions"][0]["label"]
                except (OSError, ValueError, KeyError) as error:
                    self.wrong.append(repr(error))
                else:
                    if (answer.status_code, label) != (200, "find-train"):
                        self.wrong.append(f"{answer.status_code} {label}")
                self.sent += 1


def check_problem(answer: Answer, status: int, words: str) -> None:
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert words in str(problem["detail"]), problem
    assert len(str(problem["detail"])) < 300


def test_each_wrong_request_is_refused_and_counted_and_harms_nobody(server):
    change = Change(server)
    with Beside(server) as beside:
        answers = {name: talk(server.port, request) for name, (request, *_) in WRONG.items()}
        comments = {name: talk(server.port, request) for name, request in WRONG_COMMENTS.items()}
    for name, answer in answers.items():
        _, status, words, *_ = WRONG[name]
        try:
            check_problem(answer, status, words)
        except (AssertionError, KeyError) as error:
            raise AssertionError(f"{name}: {error}") from error
    for name, answer in comments.items():
        assert (answer.status, answer.body) == (400, ORIGIN_TEXT), name
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answers["a wrong method"].headers["allow"] == "POST"
    assert beside.wrong == []
    assert beside.sent > 0

    change.take()
    by_route: dict[tuple[str, str], int] = {}
    by_reason: dict[str, int] = {}
    rows = [(route, status, reason) for _, status, _, route, reason in WRONG.values()]
    rows += [(routes.ROOT, 400, "invalid")] * len(WRONG_COMMENTS)
    for route, status, reason in rows:
        by_route[route, str(status)] = by_route.get((route, str(status)), 0) + 1
        by_reason[reason] = by_reason.get(reason, 0) + 1
    for (route, status), count in by_route.items():
        assert change.total("requests_total", route=route, code=status) == count, (route, status)
    assert change.by("rejected_total", "reason") == by_reason
    assert change.total("requests_total", code="200") == beside.sent
    assert change.total("predictions_total", model="intent", label="find-train") == beside.sent
    assert not [code for code in change.by("requests_total", "code") if code.startswith("5")]
    assert "Traceback" not in server.log
    assert server.worker().is_running()


def test_each_refusal_leaves_a_log_line(server):
    talk(server.port, post_bytes(V1, b"{}", JSON, "X-Request-Id: find-this-line"))
    (line,) = [line for line in server.log.splitlines() if "find-this-line" in line]
    assert "route=/v1/models/{model}/classify status=422" in line


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_odd_texts_are_answered_on_every_route(server, text):
    for model in ("intent", "emotion"):
        answer = talk(
            server.port, post_bytes(f"/v1/models/{model}/classify", as_json({"texts": [text]}))
        )
        assert answer.status == 200, answer.body
        (prediction,) = answer.json()["predictions"]
        assert sum(prediction["scores"].values()) == pytest.approx(1, abs=1e-3)
    assert talk(server.port, post_bytes("/", as_json({"comment": text}))).status == 200
    assert talk(server.port, get("/api/intent?sentence=" + quote(text))).status == 200
    data = tensor(data=[text])
    assert talk(server.port, post_bytes(V2, data)).status == 200
    assert talk(server.port, post_bytes("/classify", as_json({"texts": [text]}))).status == 200


def test_a_body_in_chunks_is_read(server):
    parts = chunked(V1, GOOD[:10], GOOD[10:])
    answer = talk(server.port, *parts, b"0\r\n\r\n", pause=0.05)
    assert answer.status == 200
    assert answer.json()["predictions"][0]["label"] == "find-train"


def test_an_oversized_body_is_refused_before_it_is_sent(server):
    head = (
        f"POST {V1} HTTP/1.1\r\nHost: x\r\nContent-Type: {JSON}\r\n"
        "Content-Length: 1073741824\r\n\r\n"
    )
    answer = talk(server.port, head.encode())
    check_problem(answer, 413, "max_body_bytes")
    assert answer.headers["connection"] == "close"


def test_a_client_that_leaves_in_the_middle_is_nobodys_problem(server):
    whole = post_bytes(V1, GOOD)
    before = server.metrics().total("in_flight")
    for _ in range(20):
        with pytest.raises(TimeoutError):
            talk(server.port, whole[:-10], timeout=0.02)
    assert talk(server.port, whole).status == 200
    assert server.metrics().total("in_flight") == before == 0


def test_what_is_not_http_gets_400_and_the_end(server):
    change = Change(server)
    noises = (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # a TLS client's first bytes
        b"hello\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\nno header\r\n\r\n",
        b"\0" * 100_000,
    )
    for noise in noises:
        answer = talk(server.port, noise)
        check_problem(answer, 400, "not an HTTP/1.1 request")
        assert answer.headers["connection"] == "close"
    assert talk(server.port, get("/livez")).status == 200
    change.take()
    assert change.by("rejected_total", "reason") == {"invalid": len(noises)}
    assert change.total("requests_total", route=routes.UNMATCHED, code="400") == len(noises)


def test_a_head_without_end_is_refused_and_not_kept(server):
    endless = [
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 40_000_000,
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 6_000_000,
        b"GET /" + b"a" * 40_000_000,
        b"".join(chunked(V1, b"{}")) + b"0\r\nX: " + b"a" * 40_000_000,  # a trailer
    ]
    change = Change(server)
    memory = server.worker().memory_info().rss
    with Beside(server) as beside:
        for request in endless:
            answer = talk(server.port, request)
            check_problem(answer, 431, "max_head_bytes")
            assert answer.headers["connection"] == "close"
    assert server.worker().memory_info().rss - memory < 20_000_000
    assert beside.wrong == []
    change.take()
    assert change.by("rejected_total", "reason") == {"too_large": len(endless)}
    assert change.total("requests_total", code="431") == len(endless)


class TestStrict:
    """On the server with keys and impatient timeouts."""

    PATH = "/v1/models/topics/classify"
    KEY = "X-API-Key: the-new-key"

    def test_a_slow_body_gets_408_and_the_end(self, strict):
        change = Change(strict)
        whole = post_bytes(self.PATH, b'{"texts": ["topic3"]}', JSON, self.KEY)
        answer = talk(strict.port, whole[:-5], timeout=10)
        check_problem(answer, 408, "body_timeout_seconds")
        assert answer.headers["connection"] == "close"
        change.take()
        assert change.by("rejected_total", "reason") == {"slow_body": 1}
        assert change.total("requests_total", code="408") == 1
        assert change.total("requests_total") == 1

    def test_a_trickled_body_has_the_same_end(self, strict):
        whole = post_bytes(self.PATH, b'{"texts": ["topic3"]}', JSON, self.KEY)
        parts = [whole[:-10], *(whole[n : n + 1] for n in range(len(whole) - 10, len(whole)))]
        answer = talk(strict.port, *parts, pause=0.2)
        check_problem(answer, 408, "body_timeout_seconds")

    def test_a_slow_head_gets_408_and_the_end(self, strict):
        change = Change(strict)
        answer = talk(strict.port, get("/livez")[:-2], timeout=10)
        check_problem(answer, 408, "head_timeout_seconds")
        assert answer.headers["connection"] == "close"
        line = get("/livez")[:-4] + b"\r\nX: "
        answer = talk(strict.port, line, *[b"a"] * 20, pause=0.1)
        check_problem(answer, 408, "head_timeout_seconds")
        change.take()
        assert change.by("rejected_total", "reason") == {"slow_head": 2}
        assert change.total("requests_total", route=routes.UNMATCHED, code="408") == 2

    def test_a_head_behind_an_answer_gets_408_too(self, strict):
        with socket.create_connection((HOST, strict.port), timeout=10) as connection:
            connection.sendall(get("/livez") + get("/livez")[:-2])
            with connection.makefile("rb") as answers:
                written = answers.read()
        assert re.findall(rb"HTTP/1.1 (\d+)", written) == [b"200", b"408"]

    def test_keys_are_wanted_everywhere_but_on_probes_and_pages(self, strict):
        body = b'{"texts": ["topic3"]}'
        change = Change(strict)
        for path in (self.PATH, "/classify", "/v2/models/topics/infer", "/", "/nowhere"):
            check_problem(talk(strict.port, post_bytes(path, body)), 401, "X-API-Key")
        for path in ("/v1/models", "/schema.json", "/v2/models/topics"):
            answer = talk(strict.port, get(path))
            check_problem(answer, 401, "X-API-Key")
            assert answer.headers["www-authenticate"] == "Bearer"
        for path in ("/livez", "/readyz", "/metrics", "/v2/health/ready", "/", "/docs"):
            assert talk(strict.port, get(path)).status == 200
        for header in (self.KEY, "X-API-Key: the-old-key", "Authorization: Bearer the-old-key"):
            answer = talk(strict.port, post_bytes(self.PATH, body, JSON, header))
            assert answer.json()["predictions"][0]["label"] == "topic3"
        wrong = talk(strict.port, post_bytes(self.PATH, body, JSON, "X-API-Key: the-old-ke"))
        check_problem(wrong, 401, "X-API-Key")
        change.take()
        assert change.by("rejected_total", "reason") == {"unauthorized": 9}

    def test_routes_of_models_that_are_not_served(self, strict):
        answer = talk(
            strict.port,
            get("/api/intent?sentence=a").replace(
                b"\r\n\r\n", b"\r\n" + self.KEY.encode() + b"\r\n\r\n"
            ),
        )
        check_problem(answer, 404, "does not serve the model intent")
        answer = talk(strict.port, post_bytes("/", b'{"comment": "a"}', JSON, self.KEY))
        check_problem(answer, 405, "use GET, HEAD")
