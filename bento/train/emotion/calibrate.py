"""After export: what dev says of the head's constants, written into the served files.

Trained to tell how likely each label is, the model is then asked for one label, and right when it
is any of the row's. One offset a label and one temperature are fitted for that question; they go
into the last layer, so that serving knows nothing of them.
"""

import json
import shutil
from itertools import product
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import numpy_helper
from scipy.optimize import minimize
from tokenizers import Tokenizer
from tqdm import tqdm

from bento.train.calibration import (
    expected_calibration_error,
    fit_temperature,
    softmax,
    top_label,
)
from bento.train.emotion.data import multi_hot, read_rows
from bento.train.emotion.export import MODEL_FILE, TOKENIZER_FILE
from bento.train.emotion.loop import Encoded, collate, encode

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

# Rows in one run of the exported model, as many as the service would group.
BATCH = 64

# Tried by cross-validation: how sharp the softmax is, and how strongly offsets are pulled to 0.
SHARPNESS = (1.0, 2.0, 4.0)
PULL = (0.003, 0.01, 0.03, 0.1)
FOLDS = 5


def fit_offsets(logits: F32, accepted: F32, sharpness: float, pull: float) -> F64:
    """What to add to each label's logit so that the largest is accepted more often, [labels].

    Maximises the mean share of softmax(sharpness x logits) that falls on accepted labels, a smooth
    stand-in for accuracy, less pull / 2 x the squared offsets, which keeps rare labels calm.
    `accepted` is [rows, labels], positive where a prediction counts as right.
    """
    wanted = accepted > 0

    def loss(offsets: F64) -> tuple[float, F64]:
        shares = softmax(sharpness * (logits + offsets))
        right = shares * wanted
        hit = right.sum(axis=1, keepdims=True)
        slope = sharpness * (right - shares * hit).mean(axis=0)
        return pull / 2 * float(offsets @ offsets) - float(hit.mean()), pull * offsets - slope

    found = minimize(loss, np.zeros(logits.shape[1]), jac=True, method="L-BFGS-B")
    offsets: F64 = found.x
    return offsets


def choose(logits: F32, accepted: F32, seed: int) -> tuple[float, float, float]:
    """Sharpness and pull whose offsets do best on rows that they were not fitted on.

    The accuracy on those comes third. `seed` draws the folds.
    """
    fold = np.random.default_rng(seed).permutation(len(logits)) % FOLDS
    tried = tqdm(tuple(product(SHARPNESS, PULL)), desc="offsets", disable=None)
    return max(
        ((*pair, _unseen(logits, accepted, fold, *pair)) for pair in tried),
        key=lambda found: found[2],
    )


def _unseen(
    logits: F32, accepted: F32, fold: NDArray[np.int64], sharpness: float, pull: float
) -> float:
    moved = logits.astype(np.float64)
    for number in range(FOLDS):
        seen = fold != number
        moved[~seen] += fit_offsets(logits[seen], accepted[seen], sharpness, pull)
    return float(top_label(moved, accepted)[1].mean())


def onnx_logits(path: Path, ids: Encoded, batch: int = BATCH) -> F32:
    """Logits of an exported model on one thread, fp32 [rows, labels], rows in given order."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    order = np.argsort([len(item) for item in ids], kind="stable")
    parts = []
    for start in range(0, len(order), batch):
        tokens, mask = collate([ids[row] for row in order[start : start + batch]])
        feed = {"input_ids": tokens.numpy(), "attention_mask": mask.numpy()}
        parts.append(session.run(["logits"], feed)[0])
    logits = np.concatenate(parts)
    result = np.empty_like(logits)
    result[order] = logits
    return result


def fold(path: Path, offsets: F64, temperature: float) -> None:
    """Add to the logits, then divide them, for good: inside the file's last layer.

    Raises ValueError when the graph does not end in a dense layer with a bias.
    """
    model = onnx.load(path)
    stored = {item.name: item for item in model.graph.initializer}
    end = list(model.graph.node)[-2:]
    names = [name for node in end for name in node.input if name in stored]
    head = [stored[name] for name in names]
    biases = [item for item in head if list(item.dims) == [len(offsets)]]
    weights = [item for item in head if len(item.dims) == 2 and len(offsets) in item.dims]
    if len(biases) != 1 or len(weights) != 1:
        raise ValueError(f"{path} does not end in a dense layer of {len(offsets)} labels")
    for item, added in ((biases[0], offsets), (weights[0], 0.0)):
        value = (numpy_helper.to_array(item) + added) / temperature
        item.CopyFrom(numpy_helper.from_array(value.astype(np.float32), item.name))
    onnx.save(model, path)


def run(finished: Path, dev: Path, out: Path, seed: int) -> None:
    """Copy int8 and, where it is there, fp32 of `finished` to `out`, with offsets and temperature.

    Both are those of the int8 file, which is served. `out`/scores.json gets them, and on dev
    accuracy and calibration error before and after. `seed` draws the folds of `choose`.
    """
    rows = read_rows(dev)
    hot = multi_hot(rows)
    shutil.copytree(finished, out, ignore=shutil.ignore_patterns("scores.json"))
    words = Tokenizer.from_file(str(out / "int8" / TOKENIZER_FILE))
    ids = encode(words, [row.text for row in rows])
    before = onnx_logits(out / "int8" / MODEL_FILE, ids)
    sharpness, pull, unseen = choose(before, hot, seed)
    offsets = fit_offsets(before, hot, sharpness, pull)
    temperature = fit_temperature((before + offsets).astype(np.float32), hot)
    scores: dict[str, float | list[float]] = {
        "offsets": [round(float(offset), 4) for offset in offsets],
        "temperature": temperature,
        "sharpness": sharpness,
        "pull": pull,
        "dev_accuracy_crossvalidated": unseen,
        **_on_dev("before", before, hot),
    }
    for path in sorted(out.glob(f"*/{MODEL_FILE}")):
        fold(path, offsets, temperature)
        scores |= _on_dev(path.parent.name, onnx_logits(path, ids), hot)
    text = json.dumps(scores, indent=1) + "\n"
    (out / "scores.json").write_text(text, encoding="utf-8")


def _on_dev(name: str, logits: F32, hot: F32) -> dict[str, float]:
    _, correct = top_label(logits, hot)
    error = expected_calibration_error(softmax(logits).max(axis=1), correct)
    return {f"dev_accuracy_{name}": float(correct.mean()), f"dev_ece_{name}": error}
