"""Trained parts to one spaCy pipeline, everything linear folded into the stored weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import spacy
from numpy.typing import NDArray
from spacy.language import Language

from bento.engines.components.intent_classifier import FACTORY, TOKENIZER, IntentClassifier
from bento.engines.components.scorer import Weights
from bento.train.intent.vectors import WordVectors

F32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Blend:
    """logits = linear * linear scores + network * mean network logits + bias [labels].

    Fitted on out-of-fold scores, so that it calibrates as well.
    """

    linear: float
    network: float
    bias: F32

    def logits(self, linear: F32, network: F32) -> F32:
        """Scores of the two halves, [texts, labels] each, to logits."""
        return self.linear * linear + self.network * network + self.bias


def weights(
    bits: int,
    linear: tuple[F32, F32],
    networks: Sequence[dict[str, F32]],
    vectors: WordVectors,
    blend: Blend,
) -> Weights:
    """Fold the blend into table, output and bias; keep only rows of the table that count."""
    table, offset = linear
    used = np.flatnonzero(table[:, -1] > 0)
    kept = table[used]
    kept[:, :-1] *= blend.linear
    share = blend.network / len(networks)
    stacked = {name: np.stack([part[name] for part in networks]) for name in networks[0]}
    bias = blend.bias + blend.linear * offset + share * stacked["bias"].sum(axis=0)
    return Weights(
        bits=np.array(bits, np.int64),
        buckets=used.astype(np.uint32),
        table=kept.astype(np.float16),
        keys=vectors.keys,
        rows=vectors.rows,
        vectors=vectors.vectors,
        scale=vectors.scale,
        project=stacked["project"],
        special=stacked["special"],
        kernels=stacked["kernels"],
        shift=stacked["shift"],
        output=(stacked["output"] * share).astype(np.float32),
        bias=bias.astype(np.float32),
    )


def pipeline(labels: Sequence[str], trained: Weights) -> Language:
    """A French pipeline of the classifier alone."""
    nlp = spacy.blank("fr", config={"nlp": {"tokenizer": {"@tokenizers": TOKENIZER}}})
    classifier = nlp.add_pipe(FACTORY, config={"labels": list(labels)})
    if not isinstance(classifier, IntentClassifier):
        raise TypeError(FACTORY)
    classifier.set_weights(trained)
    return nlp


def write(nlp: Language, folder: Path) -> None:
    """Write what serving needs; the vocabulary has nothing in it."""
    nlp.to_disk(folder, exclude=["vocab"])
