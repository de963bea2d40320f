"""Torch to the ONNX file that is served: traced, fused, then int8.

Works on the classifier trained here and on a user's own BERT or RoBERTa
sequence classifier from transformers.
"""

import tempfile
from pathlib import Path
from typing import Any, Literal

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from tokenizers import Tokenizer
from torch import Tensor, nn

OPSET = 17
MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"

# Left in fp32: a few thousand weights, and the ones that set the scores.
HEAD_NODES = 1

Quantize = Literal["none", "int8"]


class _Logits(nn.Module):
    """Gives any classifier the two inputs and the one output of the contract."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Ids and mask int64 [batch, sequence] to logits fp32 [batch, labels]."""
        result = self.model(input_ids=input_ids, attention_mask=attention_mask)
        logits: Tensor = result if isinstance(result, Tensor) else result.logits
        return logits


def export_classifier(
    model: nn.Module, tokenizer: Tokenizer, out_dir: Path, quantize: Quantize = "int8"
) -> Path:
    """Write model.onnx and tokenizer.json to `out_dir`; return the model's path.

    The graph takes input_ids and attention_mask, int64 [batch, sequence], and
    gives logits, fp32 [batch, labels]; both axes are free.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    config: Any = getattr(model, "config", None) or getattr(model, "encoder").config  # noqa: B009
    target = out_dir / MODEL_FILE
    with tempfile.TemporaryDirectory() as scratch:
        traced, fused = Path(scratch, "traced.onnx"), Path(scratch, "fused.onnx")
        _trace(model, traced)
        _fuse(traced, fused, heads=config.num_attention_heads, hidden=config.hidden_size)
        if quantize == "none":
            target.write_bytes(fused.read_bytes())
        else:
            quantize_int8(fused, target)
    tokenizer.save(str(out_dir / TOKENIZER_FILE), pretty=False)
    return target


def quantize_int8(fused: Path, target: Path) -> None:
    """Weights and embeddings to int8 ahead of time, activations while it runs.

    Weights use seven of the eight bits. Processors without VNNI add two products of eight bits in
    sixteen, where full weights overflow: scores would depend on the machine.
    """
    graph = onnx.load(fused).graph
    quantize_dynamic(
        fused,
        target,
        per_channel=True,
        reduce_range=True,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=_head_nodes(graph),
        # Shapes cannot be inferred through the fused kernels.
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )


def _trace(model: nn.Module, path: Path) -> None:
    """Trace with plain attention, the form that the fusion patterns know."""
    was_training = model.training
    set_attention = getattr(model, "set_attn_implementation", None)
    if set_attention is not None:
        set_attention("eager")
    # Two rows of unlike length, so that nothing of the mask is folded away.
    ids = torch.tensor([[0, 5, 6, 7, 8, 2], [0, 5, 2, 1, 1, 1]])
    mask = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]])
    free = {0: "batch", 1: "sequence"}
    torch.onnx.export(
        _Logits(model).eval(),
        (ids, mask),
        str(path),
        input_names=["input_ids", "attention_mask"],
        output_names=["logits"],
        dynamic_axes={"input_ids": free, "attention_mask": free, "logits": {0: "batch"}},
        opset_version=OPSET,
        dynamo=False,
    )
    model.train(was_training)


def _fuse(traced: Path, fused: Path, heads: int, hidden: int) -> None:
    """Attention, gelu, norms and embeddings as single CPU kernels."""
    optimized = optimizer.optimize_model(
        str(traced), model_type="bert", num_heads=heads, hidden_size=hidden, opt_level=0
    )
    optimized.save_model_to_file(str(fused))


def _head_nodes(graph: onnx.GraphProto) -> list[str]:
    """Names of the dense nodes nearest the output, HEAD_NODES of them."""
    dense = [node.name for node in graph.node if node.op_type in {"Gemm", "MatMul"}]
    head = dense[-HEAD_NODES:]
    # The quantiser splits each Gemm first and gives the product this name.
    return head + [f"{name}_MatMul" for name in head]
