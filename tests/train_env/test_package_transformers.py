"""Users' own transformers, tiny and random: packaged answers equal the framework's."""

import dataclasses
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper  # noqa: E402
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers  # noqa: E402

from bento.artifacts import ArtifactError, read_artifact  # noqa: E402
from bento.engines import load_engine  # noqa: E402
from bento.train.emotion import export  # noqa: E402
from bento.train.errors import TrainError  # noqa: E402
from bento.train.package import Facts, package  # noqa: E402
from bento.train.package_hf import prepare_hf  # noqa: E402
from bento.train.package_onnx import prepare_onnx, token_limit  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")  # torch's exporter warns of itself

TEXTS = [
    "the tea is warm",
    "rain",
    "a much longer sentence about the tea, the rain and the old stone bridge!",
    "naïve café 🙂",
]
CORPUS = TEXTS + [f"the {word} is old" for word in ("bridge", "house", "garden", "stone")]
LABELS = {0: "calm", 1: "glad", 2: "sad"}
SHAPE = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "id2label": LABELS,
    "label2id": {name: index for index, name in LABELS.items()},
    # Far from zero, so that answers differ enough to tell them apart.
    "initializer_range": 0.6,
}
FACTS = Facts(name="own", version="1.0.0", language="en", licence="MIT")


def save_bert(folder, **changes):
    words = sorted({word for text in CORPUS for word in text.lower().replace(",", " ").split()})
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words, "##s", "!", ","]
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    tokenizer = transformers.BertTokenizerFast(
        vocab={word: index for index, word in enumerate(vocabulary)}, model_max_length=40
    )
    tokenizer.save_pretrained(folder)
    config = transformers.BertConfig(
        **SHAPE | {"vocab_size": len(vocabulary), "max_position_embeddings": 48} | changes
    )
    torch.manual_seed(1)
    model = transformers.BertForSequenceClassification(config).eval()
    model.save_pretrained(folder)
    return model


def save_roberta(folder):
    folder.mkdir(parents=True)
    backend = Tokenizer(models.BPE(unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    backend.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(
            vocab_size=400,
            special_tokens=special,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    backend.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
    )
    tokenizer.save_pretrained(folder)
    config = transformers.RobertaConfig(
        **SHAPE
        | {
            "vocab_size": backend.get_vocab_size(),
            "max_position_embeddings": 66,
            "type_vocab_size": 1,
            "pad_token_id": 1,
            "bos_token_id": 0,
            "eos_token_id": 2,
        }
    )
    torch.manual_seed(2)
    model = transformers.RobertaForSequenceClassification(config).eval()
    model.save_pretrained(folder)
    return model


def expected(model, folder, limit):
    """The framework's own answers, text by text."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    rows = []
    for text in TEXTS:
        inputs = tokenizer(text, return_tensors="pt", truncation=True, max_length=limit)
        with torch.inference_mode():
            rows.append(model(**inputs).logits.softmax(dim=1)[0].numpy())
    return np.array(rows)


def answers(folder):
    engine = load_engine(read_artifact(folder), threads=1)
    scores = np.empty((len(TEXTS), len(engine.labels)), np.float32)
    for positions, part in engine.predict(TEXTS):
        scores[list(positions)] = part
    return scores


def refused(prepare, folder, message):
    with pytest.raises(TrainError, match=message):
        package(prepare, FACTS, folder / "out")
    assert not (folder / "out").exists()


def save_distilbert(folder):
    words = save_bert(folder).config.vocab_size
    names = {"dim": 32, "hidden_dim": 64, "n_layers": 2, "n_heads": 4, "initializer_range": 0.3}
    labels = {"id2label": SHAPE["id2label"], "label2id": SHAPE["label2id"]}
    config = transformers.DistilBertConfig(
        vocab_size=words, max_position_embeddings=48, **names, **labels
    )
    torch.manual_seed(4)
    model = transformers.DistilBertForSequenceClassification(config).eval()
    model.save_pretrained(folder)
    return model


@pytest.mark.parametrize(
    ("save", "limit"),
    [(save_bert, 40), (save_roberta, 64), (save_distilbert, 40)],
    ids=["bert", "roberta", "distilbert"],
)
def test_the_artifact_answers_as_the_framework_does(tmp_path, save, limit):
    model = save(tmp_path / "hf")
    out = tmp_path / "out"
    prepared = package(lambda to: prepare_hf(tmp_path / "hf", to), FACTS, out, TEXTS)
    wanted = expected(model, tmp_path / "hf", limit)
    assert np.ptp(wanted, axis=0).max() > 0.05  # the texts do get different answers
    assert np.abs(answers(out) - wanted).max() < 1e-3
    manifest = read_artifact(out).manifest
    assert prepared.max_tokens == manifest.max_tokens == limit
    assert manifest.labels == ["calm", "glad", "sad"]
    assert set(manifest.files) == {"model.onnx", "tokenizer.json"}
    assert manifest.profile is not None


def test_int8_is_smaller_and_close(tmp_path):
    model = save_bert(tmp_path / "hf", hidden_size=64, intermediate_size=256)
    package(lambda to: prepare_hf(tmp_path / "hf", to), FACTS, tmp_path / "plain")
    package(lambda to: prepare_hf(tmp_path / "hf", to, "int8"), FACTS, tmp_path / "small")
    sizes = [(tmp_path / name / "model.onnx").stat().st_size for name in ("small", "plain")]
    assert sizes[0] < 0.5 * sizes[1]
    assert np.abs(answers(tmp_path / "small") - expected(model, tmp_path / "hf", 40)).max() < 0.2


def test_texts_over_the_limit_are_cut(tmp_path):
    save_bert(tmp_path / "hf")
    out = tmp_path / "out"
    package(lambda to: prepare_hf(tmp_path / "hf", to, most_tokens=8), FACTS, out)
    assert read_artifact(out).manifest.max_tokens == 8
    engine = load_engine(read_artifact(out), threads=1)
    ((_, scores),) = engine.predict(["tea " * 500])
    assert scores.shape == (1, 3)


@pytest.mark.parametrize("side", ["left", "right"])
def test_long_texts_are_cut_where_the_tokenizer_cuts_them(tmp_path, side):
    model = save_bert(tmp_path / "hf")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "hf", truncation_side=side)
    tokenizer.save_pretrained(tmp_path / "hf")
    out = tmp_path / "out"
    package(lambda to: prepare_hf(tmp_path / "hf", to, most_tokens=8), FACTS, out)
    text = " ".join(["bridge", "house"] + ["tea"] * 10 + ["garden", "stone"])
    inputs = tokenizer(text, return_tensors="pt", truncation=True, max_length=8)
    with torch.inference_mode():
        wanted = model(**inputs).logits.softmax(dim=1).numpy()
    engine = load_engine(read_artifact(out), threads=1)
    ((_, scores),) = engine.predict([text])
    assert scores == pytest.approx(wanted, abs=1e-3)


def test_a_checkpoint_without_its_head_is_refused(tmp_path):
    model = save_bert(tmp_path / "hf")
    weights = {name: value for name, value in model.state_dict().items() if "pooler" not in name}
    model.save_pretrained(tmp_path / "hf", state_dict=weights)
    refused(lambda to: prepare_hf(tmp_path / "hf", to), tmp_path, "lacks bert.pooler")


def test_a_model_that_fails_at_its_longest_input_is_refused(tmp_path):
    source = tmp_path / "hf"
    save_bert(source)

    def past_the_table(to):
        prepared = prepare_hf(source, to)
        return dataclasses.replace(prepared, max_tokens=60)

    refused(past_the_table, tmp_path, "fails on a text of 10000 characters")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id2label": {0: "only"}, "label2id": {"only": 0}}, "has 1 outputs; 2 are needed"),
        ({"problem_type": "multi_label_classification"}, "is multi_label_classification"),
        ({"problem_type": "regression"}, "is regression"),
    ],
)
def test_heads_that_are_not_served(tmp_path, changes, message):
    save_bert(tmp_path / "hf", **changes)
    refused(lambda to: prepare_hf(tmp_path / "hf", to), tmp_path, message)


def test_pickled_weights_are_refused(tmp_path):
    model = save_bert(tmp_path / "hf")
    (tmp_path / "hf/model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "hf/pytorch_model.bin")
    refused(
        lambda to: prepare_hf(tmp_path / "hf", to), tmp_path, "pickled weights are never loaded"
    )


def test_a_model_with_code_of_its_own_is_refused(tmp_path):
    save_bert(tmp_path / "hf")
    path = tmp_path / "hf/config.json"
    config = json.loads(path.read_text()) | {"auto_map": {"AutoModel": "own.Model"}}
    path.write_text(json.dumps(config))
    (tmp_path / "hf/own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    refused(lambda to: prepare_hf(tmp_path / "hf", to), tmp_path, "brings code of its own")
    assert not (tmp_path / "ran").exists()


def test_an_export_that_answers_otherwise_is_refused(tmp_path, monkeypatch):
    save_bert(tmp_path / "hf")
    real = export.export_classifier

    def wrong(model, *args):
        model.classifier.bias.data += 1
        real(model, *args)
        model.classifier.bias.data -= 1

    monkeypatch.setattr(export, "export_classifier", wrong)
    refused(lambda to: prepare_hf(tmp_path / "hf", to), tmp_path, "the exported logits are off by")


def test_a_folder_without_a_model(tmp_path):
    refused(lambda to: prepare_hf(tmp_path, to), tmp_path, "has no config.json")
    (tmp_path / "config.json").write_text("{")
    refused(lambda to: prepare_hf(tmp_path, to), tmp_path, "config.json] is not JSON")


def onnx_folder(folder, *, outputs=3, last="Identity", masked=True):
    """A classifier that gives each text the mean of random rows, one for each token.

    `masked`: of its own tokens alone, and not of the padding too.
    """
    save_bert(folder / "bert")
    width = len((folder / "bert/vocab.txt").read_text(encoding="utf-8").split("\n"))
    table = np.random.default_rng(3).normal(size=(width, outputs)).astype(np.float32)
    ids = TensorProto.INT64
    counted = "attention_mask" if masked else "ones"
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["rows"]),
        helper.make_node("Add", ["attention_mask", "one"], ["above"]),
        helper.make_node("Div", ["above", "above"], ["ones"]),
        helper.make_node("Cast", [counted], ["weights"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["weights", "last_axis"], ["column"]),
        helper.make_node("Mul", ["rows", "column"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "axes"], ["sum"], keepdims=0),
        helper.make_node("ReduceSum", ["column", "axes"], ["number"], keepdims=0),
        helper.make_node("Div", ["sum", "number"], ["mean"]),
        helper.make_node(last, ["mean"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "mean",
        [
            helper.make_tensor_value_info(name, ids, ["batch", "tokens"])
            for name in ("input_ids", "attention_mask")
        ],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", outputs])],
        [
            helper.make_tensor("table", TensorProto.FLOAT, table.shape, table.ravel()),
            helper.make_tensor("axes", ids, [1], [1]),
            helper.make_tensor("last_axis", ids, [1], [2]),
            helper.make_tensor("one", ids, [1], [1]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, folder / "model.onnx")
    (folder / "tokenizer.json").write_bytes((folder / "bert/tokenizer.json").read_bytes())
    return folder


def test_an_onnx_folder_with_named_outputs(tmp_path):
    source = onnx_folder(tmp_path / "onnx")
    package(lambda to: prepare_onnx(source, to, ["a", "b", "c"]), FACTS, tmp_path / "out")
    engine = load_engine(read_artifact(tmp_path / "out"), threads=1)
    alone = [next(engine.predict([text]))[1][0] for text in TEXTS]
    assert np.ptp(alone, axis=0).max() > 0.05
    assert answers(tmp_path / "out") == pytest.approx(np.array(alone), abs=1e-5)
    (source / "config.json").write_bytes((source / "bert/config.json").read_bytes())
    package(lambda to: prepare_onnx(source, to), FACTS, tmp_path / "named")
    manifest = read_artifact(tmp_path / "named").manifest
    assert manifest.labels == ["calm", "glad", "sad"]
    assert manifest.max_tokens == 48


def test_onnx_folders_that_are_not_served(tmp_path):
    source = onnx_folder(tmp_path / "onnx")
    refused(lambda to: prepare_onnx(source, to, ["a", "b"]), tmp_path, "for 4 texts and 2 labels")
    refused(lambda to: prepare_onnx(source, to), tmp_path, "has no config.json")
    (source / "tokenizer.json").write_text("{}")
    refused(lambda to: prepare_onnx(source, to, ["a", "b", "c"]), tmp_path, "does not load")
    (source / "model.onnx").write_bytes(b"x")
    (source / "tokenizer.json").unlink()
    refused(lambda to: prepare_onnx(source, to, ["a", "b", "c"]), tmp_path, "json] is missing")


@pytest.mark.parametrize("last", ["Softmax", "Sigmoid"])
def test_an_onnx_model_that_gives_probabilities_is_refused(tmp_path, last):
    source = onnx_folder(tmp_path / "onnx", last=last)
    refused(lambda to: prepare_onnx(source, to, ["a", "b", "c"]), tmp_path, "gives probabilities")


def test_an_onnx_model_that_counts_the_padding_is_refused(tmp_path):
    source = onnx_folder(tmp_path / "onnx", masked=False)
    refused(
        lambda to: prepare_onnx(source, to, ["a", "b", "c"]), tmp_path, "otherwise beside a longer"
    )


def test_names_given_by_hand_do_not_hide_what_the_config_says(tmp_path):
    source = onnx_folder(tmp_path / "onnx")
    config = {"problem_type": "multi_label_classification"}
    (source / "config.json").write_text(json.dumps(config))
    refused(lambda to: prepare_onnx(source, to, ["a", "b", "c"]), tmp_path, "is multi_label")


def test_a_damaged_onnx_artifact_is_an_artifact_error(tmp_path):
    source = onnx_folder(tmp_path / "onnx")
    package(lambda to: prepare_onnx(source, to, ["a", "b", "c"]), FACTS, tmp_path / "out")
    (tmp_path / "out/model.onnx").write_bytes(b"x")
    with pytest.raises(ArtifactError, match="does not have the sha256"):
        read_artifact(tmp_path / "out")


def test_token_limits():
    assert token_limit({}, None) is None
    assert token_limit({}, None, 100) == 100
    assert token_limit({"max_position_embeddings": 512}, 10**30) == 512
    roberta = {"max_position_embeddings": 514, "model_type": "roberta", "pad_token_id": 1}
    assert token_limit(roberta, 10**30) == 512
    assert token_limit(roberta, 64) == 64
    mpnet = {"max_position_embeddings": 514, "model_type": "mpnet"}
    assert token_limit(mpnet, None) == 512
