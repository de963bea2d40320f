"""Clients that others wrote, with their defaults."""

import bentoml
import numpy as np
import pytest
import requests
import tritonclient.http
from tritonclient.utils import InferenceServerException

THANKS = "Thank you so much, I really appreciate your help!"
TRAIN = "Je voudrais un billet de train pour Bordeaux demain matin"


@pytest.fixture(scope="module")
def bento(server):
    with bentoml.SyncHTTPClient(server.url) as client:
        yield client
        client._temp_dir.cleanup()  # the client leaves that to the garbage collector


@pytest.fixture(scope="module")
def triton(server):
    client = tritonclient.http.InferenceServerClient(server.url.removeprefix("http://"))
    yield client
    client.close()


class TestBentoML:
    def test_classifies_with_either_model(self, bento):
        (emotion,) = bento.classify(texts=[THANKS], model="emotion")
        (intent,) = bento.classify(texts=[TRAIN])
        assert emotion["label"] == "gratitude"
        assert intent["label"] == "find-train"
        assert sum(intent["scores"].values()) == pytest.approx(1, abs=1e-3)

    def test_knows_that_the_server_is_ready(self, bento):
        assert bento.is_ready()

    def test_gives_the_same_scores_as_our_own_route(self, bento, server):
        (native,) = bento.classify(texts=[THANKS], model="emotion")
        own = requests.post(
            server.url + "/v1/models/emotion/classify", json={"texts": [THANKS]}, timeout=20
        ).json()["predictions"][0]
        assert native["label"] == own["label"]
        for label, score in own["scores"].items():
            assert native["scores"][label] == pytest.approx(score, abs=1e-3)

    def test_hears_why_a_request_is_wrong(self, bento):
        with pytest.raises(bentoml.exceptions.BentoMLException, match="texts is empty"):
            bento.classify(texts=[], model="emotion")
        with pytest.raises(bentoml.exceptions.BentoMLException, match="no such model"):
            bento.classify(texts=["hello"], model="nothing")


class TestTriton:
    @staticmethod
    def tensor(*texts: str, binary: bool = True) -> list[tritonclient.http.InferInput]:
        tensor = tritonclient.http.InferInput("text", [len(texts)], "BYTES")
        data = np.array([text.encode() for text in texts], dtype=np.object_)
        tensor.set_data_from_numpy(data, binary_data=binary)
        return [tensor]

    def test_health_and_metadata(self, triton):
        assert triton.is_server_live()
        assert triton.is_server_ready()
        assert triton.is_model_ready("emotion")
        assert not triton.is_model_ready("nothing")
        assert triton.get_server_metadata()["name"] == "nlpserve"
        metadata = triton.get_model_metadata("emotion")
        assert metadata["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
        assert [output["name"] for output in metadata["outputs"]] == ["label", "scores"]
        assert triton.is_model_ready("emotion", metadata["versions"][0])

    def test_infers_with_its_defaults(self, triton):
        answer = triton.infer("emotion", self.tensor(THANKS, "What a surprise, I never knew!"))
        assert answer.as_numpy("label").tolist() == [b"gratitude", b"surprise"]
        scores = answer.as_numpy("scores")
        assert scores.dtype == np.float32
        assert scores.shape == (2, 14)
        assert scores.sum(axis=1) == pytest.approx([1, 1], abs=1e-3)

    def test_infers_with_json_both_ways(self, triton):
        outputs = [
            tritonclient.http.InferRequestedOutput(name, binary_data=False)
            for name in ("label", "scores")
        ]
        answer = triton.infer(
            "intent", self.tensor(TRAIN, binary=False), outputs=outputs, request_id="seven"
        )
        assert answer.as_numpy("label").tolist() == ["find-train"]
        assert answer.as_numpy("scores").shape == (1, 8)
        assert answer.get_response()["id"] == "seven"

    def test_infers_one_output_alone(self, triton):
        outputs = [tritonclient.http.InferRequestedOutput("label")]
        answer = triton.infer("intent", self.tensor(TRAIN), outputs=outputs)
        assert answer.as_numpy("label").tolist() == [b"find-train"]
        assert answer.as_numpy("scores") is None

    def test_hears_why_a_request_is_wrong(self, triton):
        wrong = tritonclient.http.InferInput("comment", [1], "BYTES")
        wrong.set_data_from_numpy(np.array([b"hello"], dtype=np.object_))
        with pytest.raises(InferenceServerException, match="must be text"):
            triton.infer("emotion", [wrong])
        bytes_only = tritonclient.http.InferInput("text", [1], "BYTES")
        bytes_only.set_data_from_numpy(np.array([b"\xff\xfe"], dtype=np.object_))
        with pytest.raises(InferenceServerException, match="not UTF-8"):
            triton.infer("emotion", [bytes_only])
        with pytest.raises(InferenceServerException, match="serves intent, emotion"):
            triton.infer("nothing", self.tensor("hello"))


class TestRequests:
    def test_a_session_keeps_its_connection(self, server):
        with requests.Session() as session:
            ports = set()
            for number in range(20):
                with session.get(
                    server.url + "/api/intent",
                    params={"sentence": f"{TRAIN} {number}"},
                    timeout=20,
                    stream=True,
                ) as answer:
                    ports.add(answer.raw.connection.sock.getsockname()[1])
                    assert answer.status_code == 200
                    assert len(answer.json()) == 8
        assert len(ports) == 1
