"""The two origin services' routes, to the letter."""

import json

import pytest

LETTER = "The message must be JSON in the form json={'comment': string_to_predict}."
SENTENCE = "où part le train de Brest ?"


@pytest.mark.parametrize("path", ["/api/intent", "/api/intent/"])
async def test_intent_answers_every_label_rounded_to_four_places(house, engines, path):
    answer = await house.get(path, "sentence=o%C3%B9+part%20le+train+de+Brest+%3F")
    assert answer.status == 200
    expected = engines["intent"].expected(SENTENCE)
    labels = engines["intent"].labels
    assert answer.json() == {
        label: round(score, 4) for label, score in zip(labels, expected, strict=True)
    }
    assert list(answer.json()) == list(labels)


async def test_intent_labels_of_any_spelling_stay_json(open_app, artifact, engines):
    labels = ['50 %d "sûr"', "back\\slash", "{x}"]
    folder = artifact("odd", labels=labels)
    async with open_app(models=f"intent={folder}") as house:
        answer = await house.get("/api/intent", "sentence=bonjour")
        assert list(answer.json()) == labels


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 422),
        ("phrase=bonjour", 422),
        ("sentence=", 422),
        ("sentence=%20%0a", 422),
        ("sentence=%ff", 400),
        ("sentence=%ed%a0%80", 400),
        ("sentence=" + "a" * 10_001, 413),
    ],
)
async def test_intent_without_a_good_sentence_is_a_problem(house, query, status):
    answer = await house.get("/api/intent", query)
    assert answer.status == status
    assert "sentence" in answer.problem()["detail"]


async def test_the_last_of_several_sentences_counts(house, engines):
    answer = await house.get("/api/intent", "sentence=un&other=x&sentence=deux")
    expected = engines["intent"].expected("deux")
    assert list(answer.json().values()) == [round(score, 4) for score in expected]


@pytest.mark.parametrize(
    "text", ["bonjour\0", "👩‍👩‍👧 شكرا", "a" * 10_000, "\N{RIGHT-TO-LEFT OVERRIDE}x"]
)
async def test_odd_text_is_answered(house, engines, text):
    answer = await house.post("/", {"comment": text})
    assert answer.json() == {"prediction": engines["emotion"].expected_label(text)}


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; charset=utf-8", "application/json ;x=y"]
)
async def test_comment_answers_the_prediction(house, engines, content_type):
    answer = await house.post("/", {"comment": "How nice of you"}, content_type=content_type)
    assert answer.status == 200
    label = engines["emotion"].expected_label("How nice of you")
    assert answer.body == json.dumps({"prediction": label}, separators=(",", ":")).encode()
    assert answer.header("content-type") == "application/json"


async def test_further_members_of_a_comment_are_ignored(house):
    assert (await house.post("/", {"comment": "Well done", "id": 7})).status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"{",
        b"null",
        b"[]",
        b'"comment"',
        b"{}",
        b'{"text": "x"}',
        b'{"comment": null}',
        b'{"comment": 1}',
        b'{"comment": ["x"]}',
        b'{"comment": ""}',
        b'{"comment": " \\n"}',
        b'{"comment": "\xff"}',
        b'{"comment": "\\ud800"}',
        b'{"comment": "a\0b"}',
        b'{"comment": 1e999}',
        b"\xef\xbb\xbf{}",
    ],
)
async def test_anything_else_gets_the_origins_words(house, body):
    answer = await house.post("/", body)
    assert answer.status == 400
    assert answer.body.decode() == LETTER
    assert answer.header("content-type").split(";")[0] == "text/plain"
    assert answer.header("x-request-id")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""]
)
async def test_another_content_type_gets_the_origins_words(house, content_type):
    answer = await house.post("/", {"comment": "Well done"}, content_type=content_type)
    assert (answer.status, answer.body.decode()) == (400, LETTER)


@pytest.mark.parametrize(
    ("body", "limit"),
    [
        (b'{"comment": "%b"}' % (b"a" * 10_001), "max_characters"),
        (b'{"comment": %b}' % (b"[" * 20 + b"]" * 20), "max_json_depth"),
        (b'{"comment": "%b"}' % (b"a" * 1_048_576), "max_body_bytes"),
    ],
)
async def test_comment_over_a_limit_is_a_problem_that_names_it(house, body, limit):
    answer = await house.post("/", body)
    assert answer.status == 413
    assert limit in answer.problem()["detail"]


async def test_comment_that_is_shed_is_a_problem(open_app):
    async with open_app(queue_limit=1, max_batch_size=1, max_texts=1) as house:
        await house.runtime.stop()
        answer = await house.post("/", {"comment": "Well done"})
        assert answer.status == 503
        assert int(answer.header("retry-after")) >= 1
        answer.problem()


async def test_page_stands_at_the_root(house):
    answer = await house.get("/")
    assert answer.status == 200
    assert answer.header("content-type").startswith("text/html")
    assert answer.header("content-security-policy")
    assert b"<html" in answer.body


@pytest.mark.parametrize(
    ("model", "path", "status"), [("emotion", "/api/intent", 404), ("intent", "/", 405)]
)
async def test_route_of_a_model_that_is_not_served(open_app, artifact, model, path, status):
    async with open_app(models=f"{model}={artifact('only')}") as house:
        method = "GET" if path == "/api/intent" else "POST"
        answer = await house.ask(method, path)
        assert answer.status == status
        answer.problem()
