"""Fine-tuning on the labels alone, of either encoder: the student's two teachers.

bge-small (12 layers) is too slow to serve; MiniLM (6 layers) has the student's own shape. What
both say together is a better lesson than what either says, and than the raters' single votes.
"""

import json
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor
from tqdm import tqdm
from transformers import BertModel

from bento.train.emotion.data import Row, accuracy, multi_hot, read_rows
from bento.train.emotion.loop import Schedule, encode, fit, predict
from bento.train.emotion.model import CHECKPOINT, TOKENIZER, Classifier, save
from bento.train.emotion.weights import load_bge, load_minilm

# Stopped before the third epoch, which mostly remembers the labels: a lesson should be what the
# teacher makes of a text, not what it has seen written beside it. The weights are averaged over
# the second, in place of the fall of lr that is cut off.
BGE_SCHEDULE = Schedule(lr=8e-5, epochs=3, stop=2)
MINILM_SCHEDULE = Schedule(lr=1.5e-4, epochs=3, stop=2)


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
    """Write model.pt, tokenizer.json and scores.json (dev, after each epoch and in the mean)."""
    out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(out / TOKENIZER))
    torch.manual_seed(seed)
    model = Classifier(encoder)
    freeze_words(model)
    hot, dev_hot = torch.from_numpy(multi_hot(rows)), multi_hot(dev)
    ids = encode(tokenizer, [row.text for row in rows])
    dev_ids = encode(tokenizer, [row.text for row in dev])
    scores: dict[str, float] = {}

    def score() -> float:
        reached = accuracy(predict(model, dev_ids, autocast=True), dev_hot)
        tqdm.write(f"dev accuracy {reached:.4f}", file=sys.stderr)
        return reached

    def on_epoch(epoch: int) -> None:
        scores[f"dev_accuracy_{epoch}"] = score()

    def loss_of(logits: Tensor, index: Tensor) -> Tensor:
        return label_loss(logits, hot[index])

    fit(model, ids, loss_of, schedule, seed=seed, on_epoch=on_epoch)
    scores["dev_accuracy"] = score()
    save(model, out / CHECKPOINT)
    (out / "scores.json").write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")


def freeze_words(model: Classifier) -> None:
    """Leave the word table as it was: most words are too rare here to be moved to good effect."""
    model.encoder.embeddings.word_embeddings.requires_grad_(requires_grad=False)
