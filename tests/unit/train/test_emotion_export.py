"""The export on a tiny random model: same numbers, right names, free axes."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
ort = pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")
pytest.importorskip("scipy")

from tokenizers import Tokenizer, models  # noqa: E402

import bento  # noqa: E402
from bento.train.emotion import calibrate, export, model  # noqa: E402

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


def largest_sum(path):
    """Of two products of an activation of eight bits and a weight, over the file's dense layers."""
    graph = onnx.load(path).graph
    stored = {item.name: item for item in graph.initializer}
    dense = {"MatMulInteger", "MatMulIntegerToFloat", "QAttention", "DynamicQuantizeMatMul"}
    weights = [stored[node.input[1]] for node in graph.node if node.op_type in dense]
    return max(2 * 255 * int(abs(onnx.numpy_helper.to_array(w).astype(int)).max()) for w in weights)


def test_no_sum_of_two_products_overflows_sixteen_bits(tmp_path):
    words = Tokenizer(models.WordLevel({"a": 0}))
    path = export.export_classifier(classifier("own"), words, tmp_path, "int8")
    assert largest_sum(path) <= np.iinfo(np.int16).max


def test_nor_in_the_shipped_model():
    shipped = Path(bento.__file__).parent / "models/emotion/model.onnx"
    assert largest_sum(shipped) <= np.iinfo(np.int16).max


@pytest.mark.parametrize("quantize", ["none", "int8"])
def test_folding_adds_the_offsets_and_divides_by_the_temperature(quantize, tmp_path):
    net = classifier("own")
    words = Tokenizer(models.WordLevel({"a": 0}))
    path = export.export_classifier(net, words, tmp_path, quantize)
    before, _ = run_both(net, path)
    offsets = np.arange(before.shape[1]) - 1.0
    calibrate.fold(path, offsets, 2.0)
    after, _ = run_both(net, path)
    np.testing.assert_allclose(after * 2, before + offsets, atol=1e-4)


def test_folding_needs_a_dense_layer_at_the_end(tmp_path):
    path = export.export_classifier(
        classifier("own"), Tokenizer(models.WordLevel({"a": 0})), tmp_path, "none"
    )
    with pytest.raises(ValueError, match="dense layer of 99 labels"):
        calibrate.fold(path, np.zeros(99), 1.0)


def test_offsets_raise_what_is_right_more_often():
    rng = np.random.default_rng(5)
    truth = rng.choice(3, 3000, p=[0.2, 0.3, 0.5])
    hot = np.eye(3, dtype=np.float32)[truth]
    logits = (hot * 1.5 + rng.normal(0, 1, hot.shape) + [1.0, 0.0, -1.0]).astype(np.float32)
    seen, kept = slice(0, 1500), slice(1500, None)
    offsets = calibrate.fit_offsets(logits[seen], hot[seen], 2.0, 0.01)
    assert offsets[0] < offsets[1] < offsets[2]
    plain = (logits[kept].argmax(axis=1) == truth[kept]).mean()
    mended = ((logits[kept] + offsets).argmax(axis=1) == truth[kept]).mean()
    assert mended > plain + 0.05
    sharpness, pull, unseen = calibrate.choose(logits, hot, seed=1)
    assert sharpness in calibrate.SHARPNESS
    assert pull in calibrate.PULL
    assert unseen == pytest.approx(mended, abs=0.03)


def test_checkpoints_come_back_the_same(tmp_path):
    net = classifier("own")
    model.save(net, tmp_path / "model.pt")
    back = model.load(tmp_path / "model.pt").eval()
    ids = torch.tensor([[0, 5, 2]])
    with torch.no_grad():
        torch.testing.assert_close(back(ids, torch.ones_like(ids)), net(ids, torch.ones_like(ids)))
