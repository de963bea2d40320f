"""Last step: the student's confidence set right on dev, then the files that are served.

The int8 file has fixed activation scales, taken from training texts: see `activations`.
"""

import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import nn
from tqdm import tqdm

from bento.train.calibration import (
    expected_calibration_error,
    fit_temperature,
    softmax,
    top_label,
)
from bento.train.emotion.activations import fix_activations
from bento.train.emotion.data import multi_hot, read_rows
from bento.train.emotion.export import MODEL_FILE, export_classifier, fold_temperature
from bento.train.emotion.loop import Encoded, collate, encode
from bento.train.emotion.model import CHECKPOINT, TOKENIZER, load

# Rows in one run of the exported model, as many as the service would group.
BATCH = 64
# Training texts that set the activations' scales, and how many of them run together.
SCALE_TEXTS = 768
SCALE_BATCH = 16


def run(student: Path, train: Path, dev: Path, out: Path, seed: int) -> None:
    """Write model.onnx and tokenizer.json to `out`/int8, the same in fp32 to `out`/fp32.

    `out`/scores.json gets the temperature, and on dev accuracy and calibration error of both,
    before and after. `seed` draws the training texts that set the activations' scales.
    """
    words = Tokenizer.from_file(str(student / TOKENIZER))
    model = load(student / CHECKPOINT).eval()
    rows = read_rows(dev)
    hot, ids = multi_hot(rows), encode(words, [row.text for row in rows])
    texts = [row.text for row in read_rows(train)]
    chosen = np.random.default_rng(seed).choice(len(texts), SCALE_TEXTS, replace=False)
    sample = encode(words, [texts[place] for place in chosen])
    scores: dict[str, float] = {}

    # The temperature is that of the served file: int8 may be a little surer of itself than fp32.
    logits = onnx_logits(_export_fixed(model, words, sample, out, seed), ids)
    scores["temperature"] = temperature = fit_temperature(logits, hot)
    scores["dev_ece_before"] = _ece(logits, hot)
    fold_temperature(model.head, temperature)
    int8 = _export_fixed(model, words, sample, out, seed)
    for kind, path in (("fp32", out / "fp32" / MODEL_FILE), ("int8", int8)):
        logits = onnx_logits(path, ids)
        scores[f"dev_accuracy_{kind}"] = float(top_label(logits, hot)[1].mean())
        scores[f"dev_ece_{kind}"] = _ece(logits, hot)
    text = json.dumps(scores, indent=1) + "\n"
    (out / "scores.json").write_text(text, encoding="utf-8")


def _export_fixed(
    model: nn.Module, words: Tokenizer, sample: Encoded, out: Path, seed: int
) -> Path:
    """fp32 to `out`/fp32, int8 with fixed activation scales to `out`/int8; the latter's path."""
    fused = export_classifier(model, words, out / "fp32", "none")
    # All eight bits: without VNNI the same dev accuracy was measured as with it.
    dynamic = export_classifier(model, words, out / "int8", "int8")
    ordered = sorted(sample, key=len)
    starts = tqdm(range(0, len(ordered), SCALE_BATCH), desc="scales", disable=None)
    batches = (collate(ordered[start : start + SCALE_BATCH]) for start in starts)
    feeds = ({"input_ids": ids.numpy(), "attention_mask": mask.numpy()} for ids, mask in batches)
    fix_activations(fused, dynamic, dynamic, feeds, seed)
    return dynamic


def onnx_logits(path: Path, ids: Encoded, batch: int = BATCH) -> NDArray[np.float32]:
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


def _ece(logits: NDArray[np.float32], hot: NDArray[np.float32]) -> float:
    _, correct = top_label(logits, hot)
    return expected_calibration_error(softmax(logits).max(axis=1), correct)
