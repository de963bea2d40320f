"""What holds on every route: errors, ids, counts, logs, and BentoML's part."""

import asyncio
import logging

import pytest

from bento.edge.application import current_request
from nlpserve.errors import Overloaded
from nlpserve.metrics import Rejection

CLASSIFY = "/v1/models/intent/classify"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize("path", ["/nowhere", "/v1/models/", "/api/intent/x", "//", "/é"])
async def test_unknown_route(house, path):
    answer = await house.get(path)
    assert answer.status == 404
    assert answer.problem()["title"] == "Not found"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", CLASSIFY, "POST"),
        ("DELETE", "/", "GET, HEAD, POST"),
        ("POST", "/api/intent", "GET, HEAD"),
        ("POST", "/metrics", "GET, HEAD"),
        ("PUT", "/v2/models/intent/infer", "POST"),
        ("GET", "/classify", "POST"),
        ("POST", "/static_content/x.js", "GET, HEAD"),
    ],
)
async def test_wrong_method_names_the_right_ones(house, method, path, allowed):
    answer = await house.ask(method, path)
    assert answer.status == 405
    assert answer.header("allow") == allowed
    assert method in answer.problem()["detail"]
    assert house.inner.seen == []


async def test_request_id_and_trace_are_echoed(house):
    given = {"x_request_id": "order-66", "traceparent": TRACE}
    for answer in (
        await house.get("/api/intent", "sentence=bonjour", **given),
        await house.get("/nowhere", **given),
        await house.post("/classify", {"texts": ["x"]}, **given),
    ):
        assert answer.header("x-request-id") == "order-66"
        assert answer.header("traceparent") == TRACE
    problem = (await house.get("/nowhere", **given)).problem()
    assert (problem["request_id"], problem["traceparent"]) == ("order-66", TRACE)


@pytest.mark.parametrize("bad", ["", "two words", "a" * 129, "café", "line\x0bfeed"])
async def test_request_id_that_is_unsafe_is_replaced(house, bad):
    answers = [await house.get("/livez", x_request_id=bad, traceparent=bad) for _ in range(2)]
    ids = {answer.header("x-request-id") for answer in answers}
    assert len(ids) == 2
    assert bad not in ids
    assert all(identity.isascii() and identity.isprintable() for identity in ids)
    assert answers[0].header("traceparent") is None


async def test_bug_in_a_handler_is_a_problem_and_a_log_line(house, monkeypatch, caplog):
    def fail(texts, left):
        raise KeyError("deep inside")

    monkeypatch.setattr(house.runtime.models["intent"].batcher, "submit", fail)
    answer = await house.post(CLASSIFY, {"texts": ["x"]}, x_request_id="seven")
    assert answer.status == 500
    assert "deep inside" not in str(answer.problem())
    assert "request_id=seven" in caplog.text
    assert "KeyError" in caplog.text


async def test_exact_counts_by_route_template_and_code(house):
    for _ in range(3):
        await house.get("/api/intent", "sentence=bonjour")
    await house.get("/api/intent/", "sentence=bonjour")
    await house.get("/api/intent")
    await house.post("/", {"comment": "Well done"})
    await house.post("/", b"nonsense")
    await house.post(CLASSIFY, {"texts": ["a", "b"]})
    await house.get("/v1/models/intent")
    await house.get("/nowhere")
    await house.ask("PUT", "/")
    await house.post("/classify", {"texts": ["a"]})
    series = await house.series()
    counts = {
        key[1:]: value
        for key, value in series.items()
        if value and key[0] == "nlpserve_requests_total"
    }
    assert counts == {  # code, model, route
        ("200", "intent", "/api/intent"): 4,
        ("422", "intent", "/api/intent"): 1,
        ("200", "emotion", "/"): 1,
        ("400", "emotion", "/"): 1,
        ("200", "intent", "/v1/models/{model}/classify"): 1,
        ("200", "intent", "/v1/models/{model}"): 1,
        ("404", "none", "unmatched"): 1,
        ("405", "none", "unmatched"): 1,
        ("200", "none", "/classify"): 1,
    }
    assert series["nlpserve_request_duration_seconds_count", "intent", "/api/intent"] == 5
    assert series["nlpserve_rejected_total", "intent", "invalid"] == 1
    assert series["nlpserve_rejected_total", "emotion", "invalid"] == 1
    assert series["nlpserve_rejected_total", "none", "invalid"] == 2
    predictions = [v for k, v in series.items() if k[0] == "nlpserve_predictions_total"]
    assert sum(predictions) == 4 + 1 + 2


async def test_probes_and_scrapes_are_not_counted(house):
    for path in ("/livez", "/readyz", "/healthz", "/metrics", "/v2/health/live",
                 "/v2/health/ready", "/v2/models/intent/ready"):  # fmt: skip
        assert (await house.get(path)).status == 200
    series = await house.series()
    assert not any(v for key, v in series.items() if key[0] == "nlpserve_requests_total")


async def test_random_paths_methods_and_models_make_no_new_series(house):
    async def storm(seed):
        await house.get(f"/x{seed}")
        await house.ask(f"M{seed}", "/")
        await house.post(f"/v1/models/m{seed}/classify", {"texts": ["x"]})
        await house.get(f"/static_content/{seed}.js")
        await house.ask("POST", "/", b"{", headers={f"x-{seed}": "1"})

    await storm(1)
    before = set(await house.series())
    for seed in range(2, 12):
        await storm(seed)
    assert set(await house.series()) == before


async def test_what_is_shed_is_counted_by_reason(open_app):
    async with open_app(queue_limit=2, max_texts=2, max_batch_size=1) as house:
        answers = await asyncio.gather(
            *(house.post("/v1/models/emotion/classify", {"texts": ["a", "b"]}) for _ in range(5))
        )
        refused = [answer for answer in answers if answer.status == 503]
        assert 1 <= len(refused) < 5
        assert all(int(answer.header("retry-after")) >= 1 for answer in refused)
        assert "queue_limit" in refused[0].problem()["detail"]
        series = await house.series()
        assert series["nlpserve_rejected_total", "emotion", "queue_full"] == len(refused)
        assert series["nlpserve_in_flight", "emotion"] == 0


async def test_user_text_never_reaches_the_request_log(house, caplog):
    caplog.set_level(logging.DEBUG, "nlpserve.requests")
    secret = "hunter2"
    bodies = [
        {"texts": secret},
        {"texts": [secret * 5000]},
        {"texts": [secret, ""]},
        {"texts": [secret], secret: 1},
        f'{{"texts": ["{secret}"'.encode(),
        f"{secret}".encode(),
    ]
    for body in bodies:
        await house.post(CLASSIFY, body)
        await house.post("/", body)
        await house.post("/v2/models/intent/infer", body)
    await house.get("/api/intent", f"sentence={secret}%ff")
    await house.get(f"/{secret}")
    await house.get(f"/v1/models/{secret}")
    lines = [r.getMessage() for r in caplog.records if r.name == "nlpserve.requests"]
    assert len(lines) == 3 * len(bodies) + 3
    assert secret not in "\n".join(lines)
    assert all("request_id=" in line and "status=4" in line for line in lines)


async def test_client_that_leaves_before_its_body_is_whole_gets_and_counts_nothing(house):
    sent = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": CLASSIFY, "query_string": b"", "headers": []
    }  # fmt: skip
    await house.app(scope, receive, send)
    assert sent == []
    assert house.runtime.lifecycle.open_requests == 0
    series = await house.series()
    assert not any(v for key, v in series.items() if key[0] == "nlpserve_requests_total")


async def test_bento_routes_keep_the_limits(open_app):
    async with open_app(max_body_bytes=1024) as house:
        for body, content_type, status in (
            (b"{", "application/json", 400),
            (b"[" * 30 + b"]" * 30, "application/json", 413),
            (b'"%b"' % (b"x" * 1024), "application/json", 413),
            (b"x", "application/vnd.bentoml+pickle", 415),
        ):
            answer = await house.post("/classify", body, content_type=content_type)
            assert answer.status == status
            answer.problem()
        assert house.inner.seen == []
        assert (await house.post("/classify", {"texts": ["x"]})).status == 200
        assert house.inner.seen == [("POST", "/classify", b'{"texts": ["x"]}')]


async def test_error_behind_bento_is_answered_as_ours(house):
    def shed():
        request = current_request.get()
        request.model = "intent"
        request.error = Overloaded("full", reason=Rejection.QUEUE_FULL, retry_after=7)

    house.inner.before_answer = shed
    answer = await house.post("/classify", {"texts": ["x"]})
    assert answer.status == 503
    assert answer.header("retry-after") == "7"
    assert answer.problem()["detail"] == "full"
    series = await house.series()
    assert series["nlpserve_requests_total", "503", "intent", "/classify"] == 1
    assert series["nlpserve_rejected_total", "intent", "queue_full"] == 1
    assert current_request.get() is None


async def test_failure_after_bento_answered_is_logged_and_not_answered_again(house, caplog):
    inner = house.inner.__call__

    async def answer_then_fail(scope, receive, send):
        await inner(scope, receive, send)
        raise RuntimeError("too late")

    house.app._inner = answer_then_fail
    assert (await house.post("/classify", {"texts": ["x"]})).status == 200
    assert "too late" in caplog.text


async def test_other_scopes_go_to_bento(house):
    seen = []

    async def inner(scope, receive, send):
        seen.append(scope["type"])

    house.app._inner = inner
    await house.app({"type": "websocket"}, None, None)
    assert seen == ["websocket"]


async def test_openapi_describes_the_served_models_and_bentos_route(house):
    document = (await house.get("/docs.json")).json()
    assert {CLASSIFY, "/api/intent", "/", "/v2/models/emotion/infer", "/classify"} <= set(
        document["paths"]
    )
    assert document["openapi"].startswith("3.")
    assert (await house.get("/docs")).header("content-type").startswith("text/html")


async def test_head_is_answered_like_get(house):
    answer = await house.ask("HEAD", "/readyz")
    assert answer.status == 200
