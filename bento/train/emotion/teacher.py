"""Fine-tuning on the labels alone, of either encoder.

bge-small (12 layers) becomes the teacher: too slow to serve, it exists so
that the student can learn from its scores. MiniLM (6 layers) trained the same
way is where the student starts.
"""

import json
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import BertModel

from bento.train.emotion.data import Row, accuracy, multi_hot, read_rows
from bento.train.emotion.loop import Schedule, encode, fit, predict
from bento.train.emotion.model import EPOCH, TOKENIZER, Classifier, save
from bento.train.emotion.weights import load_bge, load_minilm

# Stopped after one epoch: what it says of rows that it has met once is a better
# lesson than labels it has begun to remember.
BGE_SCHEDULE = Schedule(lr=8e-5, epochs=2, stop=1)
# Stopped before the third epoch, which lost .003 on dev: the student goes on from here.
MINILM_SCHEDULE = Schedule(lr=1.5e-4, epochs=3, stop=2)

TRAIN_LOGITS = "train_logits.npy"


def label_loss(logits: Tensor, hot: Tensor) -> Tensor:
    """Cross-entropy summed over each row's labels, not averaged over them.

    Its optimum orders labels by the chance of being among a row's labels,
    which is what the score counts. Logits and hot are [batch, labels].
    """
    return -(hot * logits.log_softmax(dim=1)).sum(dim=1).mean()


def run_bge(jar: Path, train: Path, dev: Path, out: Path, seed: int) -> None:
    """Fine-tune bge-small-en-v1.5 out of its jar; see `tune` for what `out` gets."""
    tune(*load_bge(jar), read_rows(train), read_rows(dev), out, seed=seed, schedule=BGE_SCHEDULE)


def run_minilm(train: Path, dev: Path, out: Path, seed: int) -> None:
    """Fine-tune the installed all-MiniLM-L6-v2; see `tune` for what `out` gets."""
    rows = read_rows(train), read_rows(dev)
    tune(*load_minilm(), *rows, out, seed=seed, schedule=MINILM_SCHEDULE)


def tune(
    encoder: BertModel,
    tokenizer: Tokenizer,
    rows: list[Row],
    dev: list[Row],
    out: Path,
    *,
    seed: int,
    schedule: Schedule,
) -> None:
    """Write epoch-N.pt for each, tokenizer.json, train_logits.npy and scores.json to `out`.

    The logits are fp32 [train rows, labels], in the rows' order.
    """
    out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(out / TOKENIZER))
    torch.manual_seed(seed)
    model = Classifier(encoder)
    freeze_words(model)
    hot, dev_hot = torch.from_numpy(multi_hot(rows)), multi_hot(dev)
    ids = encode(tokenizer, [row.text for row in rows])
    dev_ids = encode(tokenizer, [row.text for row in dev])
    scores: list[dict[str, float]] = []

    def on_epoch(epoch: int) -> None:
        save(model, out / EPOCH.format(epoch))
        reached = accuracy(predict(model, dev_ids, autocast=True), dev_hot)
        scores.append({"epoch": epoch, "dev_accuracy": reached})
        (out / "scores.json").write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")

    def loss_of(logits: Tensor, index: Tensor) -> Tensor:
        return label_loss(logits, hot[index])

    fit(model, ids, loss_of, schedule, seed=seed, on_epoch=on_epoch)
    np.save(out / TRAIN_LOGITS, predict(model, ids, autocast=True))


def freeze_words(model: Classifier) -> None:
    """Leave the word table as it was: most words are too rare here to be moved to good effect."""
    model.encoder.embeddings.word_embeddings.requires_grad_(requires_grad=False)
