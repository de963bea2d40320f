"""Last step: the student's confidence set right on dev, then the files that are served."""

import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Tokenizer

from bento.train.calibration import (
    expected_calibration_error,
    fit_temperature,
    softmax,
    top_label,
)
from bento.train.emotion.data import multi_hot, read_rows
from bento.train.emotion.export import export_classifier, fold_temperature
from bento.train.emotion.loop import Encoded, collate, encode
from bento.train.emotion.model import CHECKPOINT, TOKENIZER, load

# Rows in one run of the exported model, as many as the service would group.
BATCH = 64


def run(student: Path, dev: Path, out: Path, seed: int) -> None:
    """Write model.onnx and tokenizer.json to `out`/int8, the same in fp32 to `out`/fp32.

    `out`/scores.json gets temperature, and on dev accuracy and calibration
    error (before and after) of both. Nothing here is drawn: `seed` is unused
    and kept for the shape that all steps share.
    """
    del seed
    words = Tokenizer.from_file(str(student / TOKENIZER))
    model = load(student / CHECKPOINT).eval()
    rows = read_rows(dev)
    hot, ids = multi_hot(rows), encode(words, [row.text for row in rows])
    scores: dict[str, float] = {}

    plain = export_classifier(model, words, out / "int8")
    logits = onnx_logits(plain, ids)
    temperature = fit_temperature(logits, hot)
    scores["temperature"] = temperature
    scores["dev_ece_before"] = _ece(logits, hot)

    fold_temperature(model.head, temperature)
    for kind in ("fp32", "int8"):
        path = export_classifier(model, words, out / kind, "int8" if kind == "int8" else "none")
        logits = onnx_logits(path, ids)
        scores[f"dev_accuracy_{kind}"] = float(top_label(logits, hot)[1].mean())
        scores[f"dev_ece_{kind}"] = _ece(logits, hot)
    text = json.dumps(scores, indent=1) + "\n"
    (out / "scores.json").write_text(text, encoding="utf-8")


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
