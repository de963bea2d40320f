"""Scores of a batch of texts from plain arrays: n-gram table plus convolutional networks.

Both halves are linear in their last step, so their average, its temperature and the label biases
are folded into the stored weights: logits = table sums + pooled features @ output + bias.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bento.engines.components import hashing

F32 = NDArray[np.float32]

UNKNOWN, OPEN, CLOSE, FIRST = 0, 1, 2, 3
"""Word ids that are no vector; vector row r has id r + FIRST."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What a classifier of N networks over L labels is stored as.

    bits: width of a feature hash. buckets: hashes with weights, uint32 [B].
    table: label weights times idf, then idf squared, float16 [B, L + 1].
    keys, rows: known words (low 32 bits of the word hash, sorted) and their vector, [K].
    vectors: int8 [N, R, P], word vectors as each network projects them, times scale [N, R, 1].
    special: vectors of UNKNOWN, OPEN, CLOSE, [N, 3, P].
    kernels: [N, 6, P, F]: width 1 (the word), width 2 (word, one before), width 3 (word, one
    before, one after). shift: [N, 3 F]. output: [N, 3 F, L]. bias: [L].
    """

    bits: NDArray[np.int64]
    buckets: NDArray[np.uint32]
    table: NDArray[np.float16]
    keys: NDArray[np.uint32]
    rows: NDArray[np.uint16]
    vectors: NDArray[np.int8]
    scale: F32
    special: F32
    kernels: F32
    shift: F32
    output: F32
    bias: F32


def find_words(
    words: hashing.U64, keys: NDArray[np.uint32], rows: NDArray[np.uint16]
) -> hashing.I64:
    """Ids of hashed words: FIRST + vector row, or UNKNOWN."""
    short = (words & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    place = np.minimum(np.searchsorted(keys, short), len(keys) - 1)
    return np.where(keys[place] == short, rows[place].astype(np.int64) + FIRST, UNKNOWN)


class Scorer:
    """Weights unpacked for use: an index of the hash space, projected vectors of all words."""

    def __init__(self, weights: Weights) -> None:
        """Takes 4 * 2**bits bytes for the index and 4 * R * N * P for the vectors."""
        self._keys, self._rows, self._bias = weights.keys, weights.rows, weights.bias
        self._labels = len(weights.bias)
        self._bits = int(weights.bits)
        self._index = np.zeros(2**self._bits, np.int32)
        self._index[weights.buckets] = np.arange(1, len(weights.buckets) + 1, dtype=np.int32)
        empty = np.zeros((1, self._labels + 1), np.float32)
        self._table = np.concatenate([empty, weights.table.astype(np.float32)])
        known = weights.vectors * weights.scale
        self._embedded = np.concatenate(list(np.concatenate([weights.special, known], 1)), 1)
        # One matrix for all widths and positions: [P, 6 F].
        self._kernels = [np.concatenate(list(kernel), axis=1) for kernel in weights.kernels]
        self._shift, self._output = weights.shift, weights.output

    def probabilities(self, texts: Sequence[str]) -> F32:
        """Scores [texts, labels] that add up to one. A text's do not depend on its neighbours."""
        if not texts:
            return np.zeros((0, self._labels), np.float32)
        batch = hashing.read(texts)
        logits = self._bias + self._ngrams(batch) + self._networks(batch)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: F32 = powers / powers.sum(axis=1, keepdims=True)
        return shares

    def count_unknown(self, texts: Sequence[str]) -> tuple[int, int]:
        """Words of letters or digits, and symbols, that have no vector; and how many there are."""
        found = find_words(hashing.read(texts).words, self._keys, self._rows)
        return int(np.count_nonzero(found == UNKNOWN)), len(found)

    def _ngrams(self, batch: hashing.Batch) -> F32:
        hashes, owner = hashing.features(batch)
        place = self._index[hashing.bucket(hashes, self._bits)]
        known = np.flatnonzero(place)
        sums = np.zeros((sum(hashing.PARTS) * batch.size, self._labels + 1), np.float32)
        hashing.add_by_owner(sums, self._table[place[known]], owner[known])
        parts = sums.reshape(-1, batch.size, self._labels + 1)
        total = np.zeros((batch.size, self._labels), np.float32)
        start = 0
        for count in hashing.PARTS:
            block = parts[start : start + count].sum(axis=0)
            total += block[:, :-1] / np.sqrt(np.maximum(block[:, -1:], 1e-9))
            start += count
        return total

    def _networks(self, batch: hashing.Batch) -> F32:
        counts = np.bincount(batch.word_doc, minlength=batch.size) + 2
        ends = np.cumsum(counts)
        # Between texts stands CLOSE OPEN, and the same at both ends, so every window of a text
        # ends in marks and never reaches a neighbour's words.
        ids = np.empty(int(ends[-1]) + 2, np.int64)
        ids[0], ids[-1] = CLOSE, OPEN
        ids[ends - counts + 1], ids[ends] = OPEN, CLOSE
        place = np.arange(len(batch.words)) + 2 * batch.word_doc + 2
        ids[place] = find_words(batch.words, self._keys, self._rows)
        inputs = self._embedded[ids]
        logits = np.zeros((batch.size, self._labels), np.float32)
        size = self._kernels[0].shape[0]
        for number, (kernel, shift, output) in enumerate(
            zip(self._kernels, self._shift, self._output, strict=True)
        ):
            heard = inputs[:, number * size : (number + 1) * size] @ kernel
            pooled = np.maximum.reduceat(_hidden(heard), ends - counts, axis=0) + shift
            logits += np.maximum(pooled, 0, out=pooled) @ output
        return logits


def _hidden(heard: F32) -> F32:
    """Sum the positions of each width: [words, 6 F] to [words - 2, 3 F], first and last gone."""
    size = heard.shape[1] // 6
    part = [heard[:, i * size : (i + 1) * size] for i in range(6)]
    hidden = np.empty((len(heard) - 2, 3 * size), np.float32)
    hidden[:, :size] = part[0][1:-1]
    np.add(part[1][1:-1], part[2][:-2], out=hidden[:, size : 2 * size])
    np.add(part[3][1:-1], part[4][:-2], out=hidden[:, 2 * size :])
    hidden[:, 2 * size :] += part[5][2:]
    return hidden
