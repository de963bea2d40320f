"""From activations that are scaled while the model runs to activations with fixed scales.

Dynamic quantisation takes one scale from the whole batch, so a text's scores depend on the texts
it happens to share a batch with: labels of one text in forty change. Fixed scales make every
answer the text's own, at the same accuracy.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

F32 = NDArray[np.float32]
Feeds = Mapping[str, NDArray[np.int64]]

# Shares of values that may be cut off at either end. Outliers carry meaning in a transformer, so
# all of them are small; the one with the least squared error is taken for each tensor.
CUT_SHARES: Final = (0.0, 1e-6, 1e-5, 3e-5, 1e-4)
# Values of a tensor that are kept to judge by: enough for the smallest share to cut one.
SAMPLE: Final = 2_000_000
LEVELS: Final = 255
MICROSOFT: Final = "com.microsoft"


def fix_activations(
    fused: Path, dynamic: Path, target: Path, batches: Iterable[Feeds], seed: int = 0
) -> None:
    """Write to `target` the model `dynamic` with the scales that `fused` (fp32) shows on `batches`.

    A batch is `input_ids` and `attention_mask`, int64 [texts, tokens]. Raises ValueError when a
    scaled tensor of `dynamic` does not exist in `fused`.
    """
    model = onnx.load(dynamic)
    names = [n.input[0] for n in model.graph.node if n.op_type == "DynamicQuantizeLinear"]
    samples = _observe(onnx.load(fused), names, batches, np.random.default_rng(seed))
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        if node.op_type != "DynamicQuantizeLinear":
            nodes.append(node)
            continue
        quantized, scale_name, zero_name = node.output
        scale, zero = best_scale(samples[node.input[0]])
        model.graph.initializer.extend(
            [
                numpy_helper.from_array(np.asarray(scale, np.float32), scale_name),
                numpy_helper.from_array(np.asarray(zero, np.uint8), zero_name),
            ]
        )
        inputs = [node.input[0], scale_name, zero_name]
        nodes.append(helper.make_node("QuantizeLinear", inputs, [quantized], name=node.name))
    del model.graph.node[:]
    model.graph.node.extend(_fuse_products(nodes))
    onnx.save(model, target)


def best_scale(values: F32) -> tuple[float, int]:
    """Scale and zero point of uint8 [0, 255] with the least squared error on `values`."""
    best = (np.inf, 1.0, 0)
    for share in CUT_SHARES:
        low, high = np.quantile(values, [share, 1 - share])
        low, high = min(float(low), 0.0), max(float(high), 0.0)
        scale = (high - low) / LEVELS or 1.0
        zero = round(-low / scale)
        levels = np.clip(np.round(values / scale) + zero, 0, LEVELS)
        error = float(np.mean(((levels - zero) * scale - values) ** 2))
        best = min(best, (error, scale, zero))
    return best[1], best[2]


def _observe(
    model: onnx.ModelProto,
    names: Sequence[str],
    batches: Iterable[Feeds],
    rng: np.random.Generator,
) -> dict[str, F32]:
    """Values of the named tensors, padding left out, at most about SAMPLE of each."""
    made = {name for node in model.graph.node for name in node.output}
    missing = set(names) - made
    if missing:
        raise ValueError(f"the fp32 model has no tensors {sorted(missing)}")
    for name in names:
        model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    found: dict[str, list[F32]] = {name: [] for name in names}
    for feeds in batches:
        real = feeds["attention_mask"].astype(bool)
        for name, values in zip(names, session.run(list(names), dict(feeds)), strict=True):
            found[name].append(values[real] if values.shape[:2] == real.shape else values)
    return {name: _thin(np.concatenate([v.ravel() for v in parts]), rng)
            for name, parts in found.items()}  # fmt: skip


def _thin(values: F32, rng: np.random.Generator) -> F32:
    """A sample that keeps both ends, which set the scale."""
    if len(values) <= SAMPLE:
        return values
    chosen = rng.choice(values, SAMPLE - 2, replace=False)
    return np.append(chosen, [values.min(), values.max()]).astype(np.float32)


def _fuse_products(nodes: Sequence[onnx.NodeProto]) -> list[onnx.NodeProto]:
    """MatMulInteger, Cast and Mul by both scales as the one kernel that does all of it.

    onnxruntime fuses them by itself only while the scales are made at run time.
    """
    maker = {output: node for node in nodes for output in node.output}
    users: dict[str, list[onnx.NodeProto]] = {}
    for node in nodes:
        for name in node.input:
            users.setdefault(name, []).append(node)
    dropped: set[str] = set()
    fused: dict[str, onnx.NodeProto] = {}
    for node in nodes:
        if node.op_type != "MatMulInteger":
            continue
        (cast,) = users[node.output[0]]
        (product,) = users[cast.output[0]]
        scales = next(maker[name] for name in product.input if name != cast.output[0])
        left, right, left_zero, right_zero = node.input
        fused[product.output[0]] = helper.make_node(
            "MatMulIntegerToFloat",
            [left, right, *scales.input, left_zero, right_zero],
            list(product.output),
            name=product.name,
            domain=MICROSOFT,
        )
        dropped |= {node.output[0], cast.output[0], scales.output[0]}
    return [fused.get(node.output[0], node) for node in nodes if not dropped & set(node.output)]
