"""What the teachers say of the training texts and of altered ones: the student's targets.

A teacher half remembers the labels of the texts that it was trained on. Of a text with hidden
words, or of one spliced from two, it has to judge; and the student sees twice as many texts.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from bento.train.calibration import softmax
from bento.train.emotion.data import accuracy, multi_hot, read_rows
from bento.train.emotion.loop import MAX_TOKENS, Encoded, encode, predict
from bento.train.emotion.model import CHECKPOINT, TOKENIZER, load

F32 = NDArray[np.float32]

LESSONS: Final = "lessons.npz"
MASK: Final = "[MASK]"
# Share of altered texts that are spliced from two; in the others words are hidden.
SPLICED: Final = 0.5
# The share of hidden words is drawn between these for each text.
HIDDEN: Final = (0.1, 0.4)


def run(teachers: Sequence[Path], train: Path, out: Path, seed: int) -> None:
    """Write lessons.npz and scores.json to `out`; `teachers` are folders that `tune` left.

    The texts are the training rows in order, then one altered text for each. All teachers must
    have the same vocabulary.
    """
    out.mkdir(parents=True, exist_ok=True)
    words = Tokenizer.from_file(str(teachers[0] / TOKENIZER))
    for teacher in teachers[1:]:
        if Tokenizer.from_file(str(teacher / TOKENIZER)).get_vocab() != words.get_vocab():
            raise ValueError(f"{teacher} has another vocabulary than {teachers[0]}")
    mask = words.token_to_id(MASK)
    if mask is None:
        raise ValueError(f"{teachers[0]} knows no {MASK}")
    rows = read_rows(train)
    hot = multi_hot(rows)
    ids = encode(words, [row.text for row in rows])
    ids += alter(ids, mask, np.random.default_rng(seed))
    taught = np.zeros((len(ids), hot.shape[1]), np.float32)
    scores: dict[str, float] = {}
    for teacher in teachers:
        said = softmax(predict(load(teacher / CHECKPOINT), ids, autocast=True))
        scores[f"train_accuracy_{teacher.name}"] = accuracy(said[: len(rows)], hot)
        taught += said / len(teachers)
    scores["train_accuracy"] = accuracy(taught[: len(rows)], hot)
    write(out / LESSONS, ids, taught)
    (out / "scores.json").write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")


def alter(ids: Encoded, mask: int, rng: np.random.Generator) -> Encoded:
    """For each text another: some of its tokens hidden, or its front on another text's back."""
    others = rng.permutation(len(ids))
    return [
        splice(item, ids[other], rng) if rng.random() < SPLICED else hide(item, mask, rng)
        for item, other in zip(ids, others, strict=True)
    ]


def hide(item: Sequence[int], mask: int, rng: np.random.Generator) -> list[int]:
    """The text with tokens replaced by `mask`, all but the first and last, which are special."""
    hidden = rng.random(len(item)) < rng.uniform(*HIDDEN)
    hidden[[0, -1]] = False
    return [mask if gone else token for token, gone in zip(item, hidden, strict=True)]


def splice(item: Sequence[int], other: Sequence[int], rng: np.random.Generator) -> list[int]:
    """A front of `item`, then a back of `other`, each cut anywhere; no longer than allowed."""
    front = item[: int(rng.integers(1, len(item)))]
    back = other[int(rng.integers(1, len(other))) :]
    return [*front[: MAX_TOKENS - len(back)], *back]


def write(path: Path, ids: Encoded, taught: F32) -> None:
    """Token ids end to end with their lengths, and the targets fp32 [texts, labels]."""
    lengths = np.array([len(item) for item in ids], np.int32)
    tokens = np.concatenate([np.array(item, np.int32) for item in ids])
    np.savez(path, tokens=tokens, lengths=lengths, taught=taught)


def read(path: Path) -> tuple[Encoded, F32]:
    """What `write` wrote."""
    with np.load(path) as saved:
        ends = np.cumsum(saved["lengths"])[:-1]
        return [part.tolist() for part in np.split(saved["tokens"], ends)], saved["taught"]
