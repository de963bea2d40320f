"""The export on a tiny random model: same numbers, right names, free axes."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
ort = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

from tokenizers import Tokenizer, models  # noqa: E402

from bento.train.emotion import export, model  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")

SHAPE = {
    "vocab_size": 60,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 40,
}


def classifier(kind):
    torch.manual_seed(0)
    if kind == "own":
        encoder = transformers.BertModel(transformers.BertConfig(**SHAPE), add_pooling_layer=False)
        return model.Classifier(encoder).eval()
    if kind == "bert":
        config = transformers.BertConfig(**SHAPE, num_labels=3)
        return transformers.BertForSequenceClassification(config).eval()
    config = transformers.RobertaConfig(**SHAPE, num_labels=3, pad_token_id=1)
    return transformers.RobertaForSequenceClassification(config).eval()


def run_both(net, path):
    ids = np.array([[0, 9, 8, 7, 6, 5, 2], [0, 9, 8, 2, 1, 1, 1]], dtype=np.int64)
    mask = np.array([[1] * 7, [1] * 4 + [0] * 3], dtype=np.int64)
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    served = session.run(["logits"], {"input_ids": ids, "attention_mask": mask})[0]
    with torch.no_grad():
        result = net(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask))
    return served, getattr(result, "logits", result).numpy()


@pytest.mark.parametrize("kind", ["own", "bert", "roberta"])
def test_exported_graph_gives_the_same_logits(kind, tmp_path):
    net = classifier(kind)
    path = export.export_classifier(net, Tokenizer(models.WordLevel({"a": 0})), tmp_path, "none")
    served, wanted = run_both(net, path)
    assert served.dtype == np.float32
    np.testing.assert_allclose(served, wanted, atol=1e-4)
    assert (tmp_path / "tokenizer.json").is_file()


def test_int8_stays_near_and_takes_two_inputs_only(tmp_path):
    net = classifier("own")
    path = export.export_classifier(net, Tokenizer(models.WordLevel({"a": 0})), tmp_path, "int8")
    served, wanted = run_both(net, path)
    np.testing.assert_allclose(served, wanted, atol=0.1)
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert [item.name for item in session.get_inputs()] == ["input_ids", "attention_mask"]


def test_folding_a_temperature_divides_the_logits(tmp_path):
    net = classifier("own")
    ids = torch.tensor([[0, 5, 2]])
    with torch.no_grad():
        before = net(ids, torch.ones_like(ids))
        export.fold_temperature(net.head, 2.0)
        after = net(ids, torch.ones_like(ids))
    torch.testing.assert_close(after * 2, before)


def test_checkpoints_come_back_the_same(tmp_path):
    net = classifier("own")
    model.save(net, tmp_path / "model.pt")
    back = model.load(tmp_path / "model.pt").eval()
    ids = torch.tensor([[0, 5, 2]])
    with torch.no_grad():
        torch.testing.assert_close(back(ids, torch.ones_like(ids)), net(ids, torch.ones_like(ids)))
