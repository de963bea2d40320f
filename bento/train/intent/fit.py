"""The shipped weights: both halves trained on the whole training file."""

from pathlib import Path

import numpy as np

from bento.train.intent import data, linear, network, vectors
from bento.train.intent.recipe import BITS, COST, NETWORKS, SETTINGS, network_seeds

LINEAR = "linear.npz"


def run(train: Path, word_vectors: Path, out: Path, seed: int) -> None:
    """Write linear.npz (table, bias) and network-1.npz and so on to the folder `out`."""
    sentences = data.read(train)
    known = vectors.read(word_vectors)
    out.mkdir(parents=True, exist_ok=True)
    counts = linear.count(sentences.texts, BITS)
    table, bias = linear.fit(counts, sentences.labels, COST, seed)
    np.savez_compressed(out / LINEAR, table=table, bias=bias)
    ids = network.word_ids(sentences.texts, known)
    for number, member in enumerate(network_seeds(seed, NETWORKS), start=1):
        fitted = network.fit(ids, sentences.labels, known, SETTINGS, seed=member)
        arrays = network.arrays(fitted)
        np.savez(out / f"network-{number}.npz", allow_pickle=False, **arrays)
