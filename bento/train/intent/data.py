"""The labelled sentences, and folds that keep near-duplicates together."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from bento.engines.components import hashing
from bento.train.labelled import read_labelled

ALIKE = 0.75
"""Jaccard overlap of character 3-grams from which two sentences must share a fold."""

I64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sentences:
    """Texts, the label names in alphabetical order, and each text's label number."""

    texts: list[str]
    names: tuple[str, ...]
    labels: I64


def read(path: Path) -> Sentences:
    """Read a labelled file; the first label of a row is its label."""
    rows = read_labelled(path)
    names = tuple(sorted({row.labels[0] for row in rows}))
    number = {name: place for place, name in enumerate(names)}
    labels = np.array([number[row.labels[0]] for row in rows], np.int64)
    return Sentences([row.text for row in rows], names, labels)


def groups(texts: list[str]) -> I64:
    """A group number a text: those that chains of near-duplicates join have the same.

    Left apart, they would let cross-validation see its own answers.
    """
    sets = _trigrams(texts)
    parent = list(range(len(texts)))

    def root(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    holders: dict[int, list[int]] = {}
    for item, grams in enumerate(sets):
        shared: dict[int, int] = {}
        for gram in grams:
            for other in holders.setdefault(gram, []):
                shared[other] = shared.get(other, 0) + 1
            holders[gram].append(item)
        for other, both in shared.items():
            if both >= ALIKE * (len(grams) + len(sets[other]) - both):
                parent[root(other)] = root(item)
    return np.array([root(item) for item in range(len(texts))], np.int64)


def _trigrams(texts: list[str]) -> list[set[int]]:
    batch = hashing.read(texts)
    sets: list[set[int]] = [set() for _ in texts]
    hashes, word = list(hashing.char_ngrams(batch))[hashing.CHAR_ORDERS.index(3)]
    for gram, owner in zip(hashes.tolist(), batch.word_doc[word].tolist(), strict=True):
        sets[owner].add(gram)
    return sets


def folds(sentences: Sentences, group: I64, count: int, seed: int) -> list[tuple[I64, I64]]:
    """Stratified folds (rows to train on, rows to test on) that never split a group."""
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    parts = splitter.split(sentences.texts, sentences.labels, group)
    return [(train.astype(np.int64), test.astype(np.int64)) for train, test in parts]
