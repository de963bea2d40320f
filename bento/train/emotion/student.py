"""The student that is served: 6 layers, taught by both teachers and by the labels.

It goes on from the smaller teacher, so that what is left to learn is where the two differ, and
where they doubt the labels.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor
from tqdm import tqdm

from bento.train.emotion.data import accuracy, multi_hot, read_rows
from bento.train.emotion.lessons import LESSONS, read
from bento.train.emotion.loop import Schedule, encode, fit, predict
from bento.train.emotion.model import CHECKPOINT, TOKENIZER, load, save
from bento.train.emotion.teacher import freeze_words, label_loss

F32 = NDArray[np.float32]

# An epoch is every text and its altered one. As with the teachers, the mean of the weights over
# the last half takes the place of the end of the fall of lr.
SCHEDULE = Schedule(lr=1.2e-4, epochs=4, stop=3)
# Weight of the teachers against the labels: single votes of raters are noisy.
TEACHING = 0.7


def targets(taught: F32, hot: F32) -> F32:
    """Teachers and labels mixed for the labelled texts, which come first; teachers for the rest."""
    mixed = taught.copy()
    mixed[: len(hot)] = TEACHING * taught[: len(hot)] + (1 - TEACHING) * hot
    return mixed


def run(start: Path, lessons: Path, train: Path, dev: Path, out: Path, *, seed: int) -> None:
    """Teach the model of the folder `start` what the folder `lessons` holds.

    Writes model.pt, tokenizer.json and scores.json to `out`.
    """
    out.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.from_file(str(start / TOKENIZER))
    tokenizer.save(str(out / TOKENIZER))
    model = load(start / CHECKPOINT)
    freeze_words(model)
    ids, taught = read(lessons / LESSONS)
    wanted = torch.from_numpy(targets(taught, multi_hot(read_rows(train))))
    dev_rows = read_rows(dev)
    dev_hot = multi_hot(dev_rows)
    dev_ids = encode(tokenizer, [row.text for row in dev_rows])
    scores: dict[str, float] = {}

    def score() -> float:
        reached = accuracy(predict(model, dev_ids, autocast=True), dev_hot)
        tqdm.write(f"dev accuracy {reached:.4f}", file=sys.stderr)
        return reached

    def on_epoch(epoch: int) -> None:
        scores[f"dev_accuracy_{epoch}"] = score()

    def loss_of(logits: Tensor, index: Tensor) -> Tensor:
        return label_loss(logits, wanted[index])

    fit(model, ids, loss_of, SCHEDULE, seed=seed, on_epoch=on_epoch)
    scores["dev_accuracy"] = score()
    save(model, out / CHECKPOINT)
    (out / "scores.json").write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")
