"""Direct routes on uvicorn's real protocol: the same answers as through ASGI, without a task."""

import asyncio
import json
from types import SimpleNamespace

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bento.edge import protocol


async def test_a_direct_route_answers_as_through_asgi_and_without_a_task(connect):
    house, connection = await connect()
    through_asgi = await house.get("/api/intent", query="sentence=un%20train")
    response, body, tasked = await connection.ask("/api/intent?sentence=un%20train")
    assert (response.status, body) == (through_asgi.status, through_asgi.body)
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"]
    assert not tasked
    assert (await house.series())["nlpserve_requests_total", "200", "intent", "/api/intent"] == 2


async def test_other_routes_and_methods_go_through_asgi(connect):
    _, connection = await connect()
    response, body, tasked = await connection.ask("/v1/models")
    assert response.status == 200
    assert tasked
    assert json.loads(body)["models"]
    response, body, tasked = await connection.ask("/api/intent?sentence=x", method="HEAD")
    assert (response.status, body) == (200, b"")
    assert tasked


@pytest.mark.parametrize(
    ("query", "status"), [("", 422), ("?sentence=", 422), ("?sentence=%ff", 400)]
)
async def test_bad_requests_get_their_problem(connect, query, status):
    house, connection = await connect()
    response, body, tasked = await connection.ask("/api/intent" + query, "X-Request-Id: mine")
    assert response.status == status
    assert json.loads(body)["request_id"] == "mine"
    assert not tasked
    series = await house.series()
    assert series["nlpserve_rejected_total", "intent", "invalid"] == 1


async def test_a_key_is_wanted_here_too(connect):
    _, connection = await connect(api_keys="secret")
    response, _, _ = await connection.ask("/api/intent?sentence=x")
    assert response.status == 401
    response, _, _ = await connection.ask("/api/intent?sentence=x", "X-API-Key: secret")
    assert response.status == 200


async def test_requests_on_one_connection_follow_each_other(connect):
    house, connection = await connect()
    for _ in range(3):
        response, _, _ = await connection.ask("/api/intent?sentence=x")
        assert response.status == 200
    assert not connection.wire.closed
    assert house.runtime.lifecycle.open_requests == 0


async def test_thousands_in_one_write_are_answered_in_order(connect):
    house, connection = await connect()
    kinds = {"?sentence=x": 200, "": 422, "?sentence=": 422, "?sentence=%ff": 400, "/nowhere": 404}
    targets = ["?sentence=x", *[""] * 1_000, *list(kinds) * 200]
    await connection.pipeline("/api/intent" + target for target in targets)
    assert connection.answers() == [(kinds[target], n) for n, target in enumerate(targets)]
    assert house.runtime.lifecycle.open_requests == 0
    assert not connection.wire.closed


async def test_thousands_without_a_key_are_answered_in_order(connect):
    _, connection = await connect(api_keys="secret")
    await connection.pipeline(["/api/intent?sentence=x"] * 2_000, "X-API-Key: secret")
    assert connection.answers() == [(401 if n else 200, n) for n in range(2_000)]


async def test_thousands_that_are_shed_are_answered_in_order(connect):
    house, connection = await connect()
    connection.wire.on_write = lambda: house.runtime.models["intent"].batcher.fail_all("a test")
    await connection.pipeline(["/api/intent?sentence=x"] * 2_000)
    assert connection.answers() == [(503 if n else 200, n) for n in range(2_000)]
    assert house.runtime.lifecycle.open_requests == 0


async def test_a_client_that_leaves_its_pipeline_costs_nothing(connect):
    house, connection = await connect()
    connection.wire.on_write = lambda: connection.protocol.connection_lost(None)
    await connection.pipeline(["/api/intent?sentence=x", *["/api/intent"] * 100])
    assert len(connection.answers()) == 1
    assert house.runtime.lifecycle.open_requests == 0


async def test_draining_closes_after_the_answer(connect):
    house, connection = await connect()
    house.runtime.lifecycle.draining = True
    response, _, _ = await connection.ask("/api/intent?sentence=x")
    assert response.status == 200
    assert response.headers["connection"] == "close"
    assert connection.wire.closed


async def cost_nothing(house, connection, route):
    """Nothing was written or computed for the one request, which is counted and over."""
    for _ in range(50):
        await asyncio.sleep(0.001)
    assert connection.wire.written == b""
    series = await house.series()
    assert series["nlpserve_requests_total", "499", "intent", route] == 1
    assert series["nlpserve_batch_size_count", "intent"] == 0
    assert house.runtime.lifecycle.open_requests == 0
    assert house.runtime.models["intent"].batcher.in_flight == 0


async def test_a_client_that_left_costs_nothing(connect):
    house, connection = await connect()
    connection.protocol.data_received(b"GET /api/intent?sentence=x HTTP/1.1\r\nHost: here\r\n\r\n")
    connection.protocol.connection_lost(None)
    await cost_nothing(house, connection, "/api/intent")


async def test_a_client_that_left_behind_a_body_costs_nothing_either(connect, monkeypatch):
    house, connection = await connect()
    batcher = house.runtime.models["intent"].batcher
    submit = batcher.submit

    def submit_and_leave(texts, left):
        answer = submit(texts, left)
        connection.protocol.connection_lost(None)
        return answer

    monkeypatch.setattr(batcher, "submit", submit_and_leave)
    body = b'{"texts": ["x"]}'
    head = b"POST /v1/models/intent/classify HTTP/1.1\r\nContent-Type: application/json\r\n"
    connection.protocol.data_received(b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body))
    await cost_nothing(house, connection, "/v1/models/{model}/classify")


def test_an_answer_that_cannot_be_written_is_its_connections_trouble_alone():
    told, aborted = [], []

    def finish(*_):
        raise RuntimeError("no way to write")

    connection = SimpleNamespace(
        finish=finish, loop=SimpleNamespace(call_exception_handler=told.append)
    )
    cycle = SimpleNamespace(
        disconnected=False, transport=SimpleNamespace(abort=lambda: aborted.append(True))
    )
    route = SimpleNamespace(respond=lambda _request, predictions: predictions)
    exchange = protocol.Exchange(connection, cycle, None, route, 0.0)
    assert not exchange.done()
    exchange.set_result([])
    assert exchange.done()
    assert aborted == [True]
    assert str(told[0]["exception"]) == "no way to write"


def test_only_httptools_protocol_is_replaced():
    application = SimpleNamespace(answers=None, limits=None)
    config = SimpleNamespace(http_protocol_class=object)
    protocol.install(SimpleNamespace(config=config), application)
    assert config.http_protocol_class is object
    config.http_protocol_class = HttpToolsProtocol
    protocol.install(SimpleNamespace(config=config), application)
    assert issubclass(config.http_protocol_class, HttpToolsProtocol)
    assert config.http_protocol_class is not HttpToolsProtocol
