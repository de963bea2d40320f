"""The student that is served: 6 layers, taught by the labels and by a teacher's scores.

It goes on for one epoch from MiniLM's second, then the weights of both ends are averaged. Alone
the second end is no better on dev; the average is, and it costs nothing to serve.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from bento.train.emotion.data import accuracy, multi_hot, read_rows
from bento.train.emotion.loop import Schedule, encode, fit, predict
from bento.train.emotion.model import CHECKPOINT, EPOCH, TOKENIZER, Classifier, load, save
from bento.train.emotion.teacher import freeze_words, label_loss

# The epoch of the start to go on from: the third only remembered the labels.
TRUNK = 2
# One more pass, its lr where the schedule of the start had come to.
SCHEDULE = Schedule(lr=8e-5, epochs=1)
# Weight of the teachers against the labels: single votes of raters are noisy.
TEACHING = 0.7
# Scores softened this much show how the teacher ranks the labels it rejected.
SOFTNESS = 2.0


def teaching_loss(logits: Tensor, taught: Tensor) -> Tensor:
    """Cross-entropy to the teachers' softened probabilities, both [batch, labels].

    Multiplied by the square of the softness, which its gradients are divided by.
    """
    soft = (logits / SOFTNESS).log_softmax(dim=1)
    return -(taught * soft).sum(dim=1).mean() * SOFTNESS**2


def mean_probabilities(logits: Sequence[Tensor]) -> Tensor:
    """The teachers' softened probabilities, averaged: [rows, labels] each."""
    return torch.stack([(item / SOFTNESS).softmax(dim=1) for item in logits]).mean(dim=0)


def average_weights(models: Sequence[Classifier]) -> Classifier:
    """The first model, its weights set to the mean over all; they must share their shape."""
    states = [model.state_dict() for model in models]
    for name, value in states[0].items():
        if value.is_floating_point():
            mean = torch.stack([state[name].double() for state in states]).mean(dim=0)
            value.copy_(mean)
    return models[0]


def run(
    start: Path, teachers: Sequence[Path], train: Path, dev: Path, out: Path, *, seed: int
) -> None:
    """Go on from the folder `start`; write model.pt, tokenizer.json and scores.json to `out`.

    `start` is what `teacher.tune` left; `teachers` are train_logits.npy files, fp32
    [train rows, labels].
    """
    out.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.from_file(str(start / TOKENIZER))
    tokenizer.save(str(out / TOKENIZER))
    rows, dev_rows = read_rows(train), read_rows(dev)
    hot, dev_hot = torch.from_numpy(multi_hot(rows)), multi_hot(dev_rows)
    taught = mean_probabilities([torch.from_numpy(np.load(path)) for path in teachers])
    dev_ids = encode(tokenizer, [row.text for row in dev_rows])
    scores: dict[str, float] = {}

    def loss_of(logits: Tensor, index: Tensor) -> Tensor:
        lesson = teaching_loss(logits, taught[index])
        return TEACHING * lesson + (1 - TEACHING) * label_loss(logits, hot[index])

    def on_epoch(epoch: int) -> None:
        scores[f"dev_accuracy_{epoch}"] = accuracy(predict(model, dev_ids), dev_hot)

    model = load(start / EPOCH.format(TRUNK))
    freeze_words(model)
    ids = encode(tokenizer, [row.text for row in rows])
    fit(model, ids, loss_of, SCHEDULE, seed=seed, on_epoch=on_epoch)
    model = average_weights([load(start / EPOCH.format(TRUNK)), model])
    scores["dev_accuracy"] = accuracy(predict(model, dev_ids), dev_hot)
    save(model, out / CHECKPOINT)
    (out / "scores.json").write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")
