"""The Open Inference Protocol, with JSON tensors and the binary tensor extension."""

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento.edge.binary import decode_strings, encode_strings
from bento.edge.tensors import read_texts, split_body, write_outputs
from bento.limits import Limits
from bento.pending import Prediction
from nlpserve.errors import NlpserveError

INFER = "/v2/models/intent/infer"
TEXTS = ["un café", "deux thés 👍"]
LIMITS = Limits(
    head_bytes=65_536,
    head_timeout_seconds=1.0,
    body_bytes=10_000,
    texts=10,
    characters=100,
    json_depth=10,
    body_timeout_seconds=1.0,
)


def tensor(**members):
    return {"name": "text", "datatype": "BYTES", "shape": [2], "data": TEXTS} | members


def framed(header, blob):
    """A request's body with a binary tensor, and its headers."""
    encoded = json.dumps(header).encode()
    return encoded + blob, {
        "content_type": "application/octet-stream",
        "inference_header_content_length": str(len(encoded)),
    }


def split_answer(answer):
    """The JSON header, and the binary outputs by name."""
    length = int(answer.header("inference-header-content-length"))
    header, rest = json.loads(answer.body[:length]), answer.body[length:]
    blobs = {}
    for output in header["outputs"]:
        if size := output.get("parameters", {}).get("binary_data_size"):
            blobs[output["name"]], rest = rest[:size], rest[size:]
    assert rest == b""
    return header, blobs


async def test_json_tensors(house, engines):
    answer = await house.post(INFER, {"id": "seven", "inputs": [tensor()]})
    content = answer.json()
    assert content["model_name"] == "intent"
    assert content["model_version"] == "1.2.3"
    assert content["id"] == "seven"
    label, scores = content["outputs"]
    engine = engines["intent"]
    assert label == {
        "name": "label",
        "datatype": "BYTES",
        "shape": [2],
        "data": [engine.expected_label(text) for text in TEXTS],
    }
    assert (scores["name"], scores["datatype"], scores["shape"]) == ("scores", "FP32", [2, 3])
    expected = [score for text in TEXTS for score in engine.expected(text)]
    assert scores["data"] == pytest.approx(expected)


async def test_binary_tensors_both_ways(house, engines):
    blob = encode_strings(TEXTS)
    asked = tensor(shape=[2, 1], parameters={"binary_data_size": len(blob)})
    del asked["data"]
    header = {"inputs": [asked], "parameters": {"binary_data_output": True}}
    body, headers = framed(header, blob)
    answer = await house.post(INFER, body, **headers)
    assert answer.status == 200
    assert answer.header("content-type") == "application/octet-stream"
    content, blobs = split_answer(answer)
    assert "id" not in content
    engine = engines["intent"]
    assert decode_strings(blobs["label"]) == [engine.expected_label(text) for text in TEXTS]
    scores = np.frombuffer(blobs["scores"], dtype="<f4").reshape(2, 3)
    assert scores.tolist() == [engine.expected(text) for text in TEXTS]


async def test_each_output_comes_as_it_was_asked_for(house):
    outputs = [{"name": "scores", "parameters": {"binary_data": True}}, {"name": "label"}]
    answer = await house.post(INFER, {"inputs": [tensor()], "outputs": outputs})
    content, blobs = split_answer(answer)
    assert [output["name"] for output in content["outputs"]] == ["scores", "label"]
    assert list(blobs) == ["scores"]
    assert len(content["outputs"][1]["data"]) == 2


async def test_single_output(house):
    answer = await house.post(INFER, {"inputs": [tensor()], "outputs": [{"name": "label"}]})
    assert [output["name"] for output in answer.json()["outputs"]] == ["label"]


@pytest.mark.parametrize("shape", [[1, 2], [2, 1]])
async def test_nested_data(house, shape):
    nested = [TEXTS] if shape == [1, 2] else [[text] for text in TEXTS]
    answer = await house.post(INFER, {"inputs": [tensor(shape=shape, data=nested)]})
    assert answer.json()["outputs"][0]["shape"] == [2]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ([], "object with inputs"),
        ({}, "one tensor"),
        ({"inputs": []}, "one tensor"),
        ({"inputs": [tensor(), tensor()]}, "one tensor"),
        ({"inputs": ["text"]}, "one tensor"),
        ({"inputs": [tensor(name="sentence")]}, "name must be text"),
        ({"inputs": [tensor(datatype="FP32")]}, "BYTES"),
        ({"inputs": [tensor(shape=2)]}, "shape"),
        ({"inputs": [tensor(shape=[])]}, "shape"),
        ({"inputs": [tensor(shape=[-2])]}, "shape"),
        ({"inputs": [tensor(shape=[True, 2])]}, "shape"),
        ({"inputs": [tensor(shape=[2.0])]}, "shape"),
        ({"inputs": [tensor(shape=[2, 2])]}, "shape"),
        ({"inputs": [tensor(shape=[1] * 3)]}, "shape"),
        ({"inputs": [tensor(shape=[2**63] * 40)]}, "shape"),
        ({"inputs": [tensor(shape=[3])]}, "3 texts, but its data holds 2"),
        ({"inputs": [tensor(shape=[0], data=[])]}, "text is empty"),
        ({"inputs": [tensor(data=None)]}, "list of strings"),
        ({"inputs": [tensor(data=["a", 1])]}, "list of strings"),
        ({"inputs": [tensor(data=["a", ""])]}, "text[1] is empty"),
        ({"inputs": [tensor(parameters={"binary_data_size": 5})]}, "5 bytes"),
        ({"inputs": [tensor(parameters={"binary_data_size": "my secret"})]}, "whole number"),
        ({"inputs": [tensor(parameters={"binary_data_size": True})]}, "whole number"),
        ({"inputs": [tensor()], "outputs": "label"}, "outputs must be a list"),
        ({"inputs": [tensor()], "outputs": [{"name": "logits"}]}, "outputs[0].name"),
        ({"inputs": [tensor()], "outputs": ["label"]}, "outputs[0].name"),
    ],
)
async def test_wrong_requests_say_what_is_wrong(house, header, words):
    answer = await house.post(INFER, header)
    assert answer.status == 422
    problem = answer.problem()
    assert words in problem["detail"]
    assert problem["error"] == problem["detail"]
    assert "secret" not in problem["detail"]


@pytest.mark.parametrize("length", ["999999", "-1", "x", "", "9" * 5000])
async def test_header_length_must_lie_within_the_body(house, length):
    answer = await house.post(INFER, {"inputs": [tensor()]}, inference_header_content_length=length)
    assert answer.status == 400
    assert "Inference-Header-Content-Length" in answer.problem()["error"]


@pytest.mark.parametrize(
    ("blob", "status"),
    [
        (b"\x01", 422),
        (struct.pack("<I", 9) + b"short", 422),
        (struct.pack("<I", 2**32 - 1), 422),
        (struct.pack("<I", 1) + b"\xff", 400),
        (struct.pack("<I", 3) + b"\xed\xa0\x80", 400),
    ],
)
async def test_broken_binary_tensors(house, blob, status):
    asked = tensor(shape=[1], parameters={"binary_data_size": len(blob)})
    body, headers = framed({"inputs": [asked]}, blob)
    answer = await house.post(INFER, body, **headers)
    assert answer.status == status
    assert "BYTES tensor" in answer.problem()["error"]


async def test_over_limits(house):
    many = tensor(shape=[257], data=["x"] * 257)
    answer = await house.post(INFER, {"inputs": [many]})
    assert answer.status == 413
    assert "max_texts" in answer.problem()["error"]


async def test_bytes_that_no_tensor_declares(house):
    body, headers = framed({"inputs": [tensor()]}, b"left over")
    answer = await house.post(INFER, body, **headers)
    assert answer.status == 422
    assert "9 bytes" in answer.problem()["error"]


async def test_binary_without_its_header_is_an_unknown_type(house):
    answer = await house.post(INFER, b"x", content_type="application/octet-stream")
    assert answer.status == 415


async def test_json_without_a_content_type_is_read(house):
    body = json.dumps({"inputs": [tensor()]}).encode()
    assert (await house.ask("POST", INFER, body)).status == 200


@pytest.mark.parametrize("base", ["/v2/models/intent", "/v2/models/intent/versions/1.2.3"])
async def test_metadata_and_readiness(house, base):
    facts = (await house.get(base)).json()
    assert facts["name"] == "intent"
    assert facts["versions"] == ["1.2.3"]
    assert facts["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    assert [output["name"] for output in facts["outputs"]] == ["label", "scores"]
    assert facts["outputs"][1]["shape"] == [-1, 3]
    assert (await house.get(base + "/ready")).status == 200
    assert (await house.post(base + "/infer", {"inputs": [tensor()]})).status == 200


async def test_server(house):
    facts = (await house.get("/v2")).json()
    assert facts["name"] == "nlpserve"
    assert "binary_tensor_data" in facts["extensions"]
    assert (await house.get("/v2/health/live")).json() == {"live": True}
    assert (await house.get("/v2/health/ready")).json() == {"ready": True}


async def test_unknown_model_has_the_protocols_error_member(house):
    for path in ("/v2/models/nobody", "/v2/models/nobody/ready", "/v2/models/nobody/infer"):
        answer = await house.get(path)
        assert answer.status == 404
        assert "intent, emotion" in answer.problem()["error"]


texts = st.lists(st.text(st.characters(codec="utf-8"), max_size=30), max_size=20)


@given(texts)
def test_strings_survive_the_round_trip(given_texts):
    blob = encode_strings(given_texts)
    assert decode_strings(blob) == given_texts
    header = {
        "inputs": [
            {
                "name": "text",
                "datatype": "BYTES",
                "shape": [len(given_texts)],
                "parameters": {"binary_data_size": len(blob)},
            }
        ]
    }
    encoded = json.dumps(header).encode()
    read, rest = split_body(encoded + blob, str(len(encoded)).encode(), LIMITS)
    assert read_texts(read, rest) == given_texts


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(blob):
    try:
        decoded = decode_strings(blob)
    except NlpserveError:
        return
    assert encode_strings(decoded) == blob


@given(
    st.lists(st.lists(st.floats(0, 1, width=32), min_size=2, max_size=2), min_size=1, max_size=9),
    st.booleans(),
    st.booleans(),
)
def test_outputs_survive_the_round_trip(rows, label_binary, scores_binary):
    predictions = [Prediction(int(np.argmax(row)), row) for row in rows]
    wanted = {"label": label_binary, "scores": scores_binary}
    encoded, blobs = write_outputs({}, wanted, ("oui", "non"), predictions)
    label, scores = json.loads(encoded)["outputs"]
    labels = label.get("data")
    if label_binary:
        size = label["parameters"]["binary_data_size"]
        labels, blobs = decode_strings(blobs[:size]), blobs[size:]
    values = scores.get("data")
    if scores_binary:
        assert scores["parameters"]["binary_data_size"] == len(blobs)
        values = np.frombuffer(blobs, dtype="<f4").tolist()
    assert labels == [("oui", "non")[prediction.top] for prediction in predictions]
    assert values == [score for row in rows for score in row]
    assert scores["shape"] == [len(rows), 2]
