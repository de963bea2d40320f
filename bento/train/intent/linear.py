"""The linear half: one-against-rest support vector machines over hashed n-grams.

Rows of the feature table hold, for each bucket, the 8 weights already multiplied by the bucket's
inverse document frequency, and that frequency squared, so that serving needs one gather a block:
score = sum(weight * idf) / sqrt(sum(idf ** 2)), blocks (words, skips, characters) added up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.svm import LinearSVC

from bento.engines.components import hashing

F32 = NDArray[np.float32]

LEAST = (1, 2, 1)
"""Texts that must hold a feature of each block (words, skips, characters) for it to count."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Bucket counts of texts by block: CSR matrices [texts, 2 ** bits]."""

    blocks: tuple[sp.csr_matrix, ...]

    def rows(self, chosen: NDArray[np.int64]) -> Self:
        """The same for some of the texts."""
        return type(self)(tuple(block[chosen] for block in self.blocks))


def count(texts: Sequence[str], bits: int) -> Counts:
    """Count hashed features with the functions that serving uses."""
    batch = hashing.read(texts)
    hashes, owner = hashing.features(batch)
    index = hashing.bucket(hashes, bits)
    part, doc = np.divmod(owner, batch.size)
    block_of_part = np.repeat(np.arange(len(hashing.PARTS)), hashing.PARTS)
    blocks = []
    for block in range(len(hashing.PARTS)):
        here = block_of_part[part] == block
        ones = np.ones(np.count_nonzero(here), np.float32)
        shape = (batch.size, 2**bits)
        matrix = sp.coo_matrix((ones, (doc[here], index[here])), shape=shape).tocsr()
        matrix.sum_duplicates()
        blocks.append(matrix)
    return Counts(tuple(blocks))


def fit(counts: Counts, labels: NDArray[np.int64], cost: float, seed: int) -> tuple[F32, F32]:
    """Train; returns the table [2 ** bits, classes + 1] and the bias [classes].

    Skips seen once are left out: they are many and would crowd the table.
    """
    total = len(labels)
    idf = np.zeros(counts.blocks[0].shape[1])
    for block, least in zip(counts.blocks, LEAST, strict=True):
        frequency = np.bincount(block.indices, minlength=block.shape[1])
        weight = np.log((1 + total) / (1 + frequency)) + 1
        # Blocks hash into one table: where two meet, they share the larger weight.
        idf = np.maximum(idf, np.where(frequency >= least, weight, 0.0))
    model = LinearSVC(C=cost, random_state=seed)
    model.fit(_scaled(counts, idf), labels)
    table = np.concatenate([model.coef_.T * idf[:, None], idf[:, None] ** 2], axis=1)
    return table.astype(np.float32), model.intercept_.astype(np.float32)


def scores(counts: Counts, table: F32, bias: F32) -> F32:
    """What serving adds up, [texts, classes]."""
    total = np.tile(bias, (counts.blocks[0].shape[0], 1))
    for block in counts.blocks:
        sums = block @ table
        total += sums[:, :-1] / np.sqrt(np.maximum(sums[:, -1:], 1e-9))
    return total


def _scaled(counts: Counts, idf: NDArray[np.float64]) -> sp.csr_matrix:
    scaled = []
    for block in counts.blocks:
        norm = 1 / np.sqrt(np.maximum(block @ idf**2, 1e-9))
        scaled.append(sp.diags(norm) @ block @ sp.diags(idf))
    return sum(scaled[1:], scaled[0]).tocsr()
