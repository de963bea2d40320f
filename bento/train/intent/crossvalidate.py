"""Out-of-fold scores of both halves on the training file: the only ground for every choice."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from sklearn.metrics import cohen_kappa_score, f1_score
from tqdm import tqdm

from bento.train.calibration import expected_calibration_error, softmax
from bento.train.intent import blend, data, linear, network, vectors
from bento.train.intent.recipe import BITS, COST, FOLDS, SETTINGS, network_seeds

OUT_OF_FOLD, REPORT = "out_of_fold.npz", "report.json"


def run(train: Path, word_vectors: Path, out: Path, seed: int, members: int = 1) -> None:
    """Write the out-of-fold scores, the blend fitted on them, and what the blend reaches.

    What it reaches is measured with blends fitted on other rows. One network stands for the
    shipped ones unless `members` says more: they take nearly all of the time.
    """
    sentences = data.read(train)
    known = vectors.read(word_vectors)
    counts = linear.count(sentences.texts, BITS)
    ids = network.word_ids(sentences.texts, known)
    labels = sentences.labels
    flat = np.zeros((len(labels), len(sentences.names)), np.float32)
    deep = flat.copy()
    folds = data.folds(sentences, data.groups(sentences.texts), FOLDS, seed)
    for number, (learn, test) in enumerate(tqdm(folds, desc="folds", disable=None)):
        table, bias = linear.fit(counts.rows(learn), labels[learn], COST, seed)
        flat[test] = linear.scores(counts.rows(test), table, bias)
        for member in network_seeds(seed + 100 * number, members):
            fitted = network.fit(
                [ids[row] for row in learn], labels[learn], known, SETTINGS, seed=member
            )
            deep[test] += network.logits(fitted, [ids[row] for row in test]) / members
    out.mkdir(parents=True, exist_ok=True)
    np.savez(out / OUT_OF_FOLD, linear=flat, network=deep, labels=labels)
    blend.fit(flat, deep, labels).write(out)
    report = {
        "settings": asdict(SETTINGS),
        "linear": _measures(flat, labels),
        "network": _measures(deep, labels),
        "blend": _measures(_unseen_blend(flat, deep, labels, seed), labels, calibrated=True),
    }
    (out / REPORT).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _unseen_blend(flat: blend.F32, deep: blend.F32, labels: data.I64, seed: int) -> blend.F32:
    part = np.random.default_rng(seed).integers(0, FOLDS, len(labels))
    logits = np.zeros_like(flat)
    for number in range(FOLDS):
        others, here = part != number, part == number
        fitted = blend.fit(flat[others], deep[others], labels[others])
        logits[here] = fitted.logits(flat[here], deep[here])
    return logits


def _measures(logits: blend.F32, labels: data.I64, *, calibrated: bool = False) -> dict[str, float]:
    best = logits.argmax(axis=1)
    found = {
        "micro_f1": float(np.mean(best == labels)),
        "macro_f1": float(f1_score(labels, best, average="macro")),
        "kappa": float(cohen_kappa_score(labels, best)),
    }
    if calibrated:
        confidence = softmax(logits).max(axis=1)
        found["ece"] = expected_calibration_error(confidence, best == labels)
    return found
