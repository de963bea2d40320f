import pytest

CLASSIFY = "/v1/models/{}/classify"


@pytest.mark.parametrize("model", ["intent", "emotion"])
async def test_each_text_gets_its_label_and_all_scores_in_order(house, engines, model):
    texts = ["bonsoir", "good evening", "x" * 300]
    answer = await house.post(CLASSIFY.format(model), {"texts": texts})
    content = answer.json()
    assert content["model"] == model
    assert content["version"] == "1.2.3"
    assert len(content["predictions"]) == 3
    for text, prediction in zip(texts, content["predictions"], strict=True):
        assert prediction["label"] == engines[model].expected_label(text)
        assert list(prediction["scores"]) == list(engines[model].labels)
        assert list(prediction["scores"].values()) == pytest.approx(
            engines[model].expected(text), abs=1e-6
        )


async def test_models_are_listed_with_facts_and_limits(open_app):
    async with open_app(max_texts=7, queue_limit=99, max_batch_size=3) as house:
        listed = (await house.get("/v1/models")).json()["models"]
        assert [model["name"] for model in listed] == ["intent", "emotion"]
        one = (await house.get("/v1/models/emotion")).json()
        assert one["kind"] == "transformer-onnx"
        assert one["labels"] == ["alpha", "beta", "gamma"]
        assert len(one["sha256"]) == 64
        assert one["limits"]["max_texts"] == 7
        assert one["limits"]["queue_limit"] == 99
        assert one["live"]["in_flight"] == 0
        assert one["live"]["ready"] is True


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"", 400, "empty"),
        (b"{", 400, "not JSON"),
        (b'{"texts": ["\xff"]}', 400, "not JSON"),
        (b'{"texts": ["\\ud800"]}', 400, "not JSON"),
        (b'{"texts": ["a\x01"]}', 400, "not JSON"),
        (b'{"texts": [1e999]}', 400, "not JSON"),
        ([], 422, "object"),
        (None, 422, "object"),
        ({}, 422, "texts"),
        ({"text": ["x"]}, 422, "texts"),
        ({"texts": ["x"], "top": 3}, 422, "nothing but texts"),
        ({"texts": "x"}, 422, "list"),
        ({"texts": {"0": "x"}}, 422, "list"),
        ({"texts": []}, 422, "texts is empty"),
        ({"texts": ["x", 10**30]}, 422, "texts[1]"),
        ({"texts": ["x", None]}, 422, "texts[1]"),
        ({"texts": ["x", ""]}, 422, "texts[1] is empty"),
        ({"texts": ["x", "\t\n"]}, 422, "texts[1] is empty"),
        ({"texts": ["x", "y" * 10_001]}, 413, "texts[1] has 10001 characters"),
        ({"texts": ["x"] * 257}, 413, "max_texts"),
        ({"texts": [[[[[[[[[[[[[[[[["x"]]]]]]]]]]]]]]]]]}, 413, "max_json_depth"),
    ],
)
async def test_bad_body_is_a_problem_that_says_what(house, content, status, words):
    answer = await house.post(CLASSIFY.format("intent"), content)
    assert answer.status == status
    assert words in answer.problem()["detail"]


@pytest.mark.parametrize("content_type", ["", "text/json", "multipart/form-data"])
async def test_other_content_types_are_refused(house, content_type):
    answer = await house.post(
        CLASSIFY.format("intent"), {"texts": ["x"]}, content_type=content_type
    )
    assert answer.status == 415
    assert "application/json" in answer.problem()["detail"]


async def test_the_last_of_duplicate_keys_counts(house):
    answer = await house.post(CLASSIFY.format("intent"), b'{"texts": 3, "texts": ["a", "b"]}')
    assert len(answer.json()["predictions"]) == 2


@pytest.mark.parametrize("path", ["/v1/models/nobody", CLASSIFY.format("nobody")])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_unknown_model_is_told_which_there_are(house, path, method):
    answer = await house.ask(method, path)
    assert answer.status == 404
    assert "intent, emotion" in answer.problem()["detail"]


async def test_poison_fails_its_own_request_alone(house):
    answer = await house.post(CLASSIFY.format("intent"), {"texts": ["fine", "poison"]})
    assert answer.status == 500
    assert "poison" not in answer.problem()["detail"]
    assert (await house.post(CLASSIFY.format("intent"), {"texts": ["fine"]})).status == 200
