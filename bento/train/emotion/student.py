"""The student that is served: 6 layers, taught by the labels and by the teachers' scores."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from bento.train.emotion.data import accuracy, multi_hot, read_rows
from bento.train.emotion.loop import Schedule, encode, fit, predict
from bento.train.emotion.model import CHECKPOINT, TOKENIZER, load, save
from bento.train.emotion.teacher import freeze_words, label_loss

# It starts from weights that know the task, so it needs smaller steps than they did.
SCHEDULE = Schedule(lr=1e-4, epochs=3)
# Scores softened this much show how the teachers rank the labels they rejected.
SOFTNESS = 2.0
# Weight of the teachers against the labels: single votes of raters are noisy.
TEACHING = 0.7


def teaching_loss(logits: Tensor, taught: Tensor) -> Tensor:
    """Cross-entropy to the teachers' softened probabilities, both [batch, labels].

    Multiplied by the square of the softness, which its gradients are divided by.
    """
    soft = (logits / SOFTNESS).log_softmax(dim=1)
    return -(taught * soft).sum(dim=1).mean() * SOFTNESS**2


def mean_probabilities(logits: Sequence[Tensor]) -> Tensor:
    """The teachers' softened probabilities, averaged: [rows, labels] each."""
    return torch.stack([(item / SOFTNESS).softmax(dim=1) for item in logits]).mean(dim=0)


def run(
    start: Path, teachers: Sequence[Path], train: Path, dev: Path, out: Path, *, seed: int
) -> None:
    """Go on from the folder `start`; write model.pt, tokenizer.json and scores.json to `out`.

    `teachers` are train_logits.npy files, fp32 [train rows, labels]. The
    checkpoint kept is that of the epoch that is best on dev.
    """
    out.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.from_file(str(start / TOKENIZER))
    tokenizer.save(str(out / TOKENIZER))
    model = load(start / CHECKPOINT)
    freeze_words(model)
    rows, dev_rows = read_rows(train), read_rows(dev)
    hot, dev_hot = torch.from_numpy(multi_hot(rows)), multi_hot(dev_rows)
    taught = mean_probabilities([torch.from_numpy(np.load(path)) for path in teachers])
    dev_ids = encode(tokenizer, [row.text for row in dev_rows])
    scores: list[dict[str, float]] = []

    def on_epoch(epoch: int) -> None:
        reached = accuracy(predict(model, dev_ids), dev_hot)
        if all(reached > score["dev_accuracy"] for score in scores):
            save(model, out / CHECKPOINT)
        scores.append({"epoch": epoch, "dev_accuracy": reached})
        (out / "scores.json").write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")

    def loss_of(logits: Tensor, index: Tensor) -> Tensor:
        labels = label_loss(logits, hot[index])
        return TEACHING * teaching_loss(logits, taught[index]) + (1 - TEACHING) * labels

    ids = encode(tokenizer, [row.text for row in rows])
    fit(model, ids, loss_of, SCHEDULE, seed=seed, on_epoch=on_epoch)
