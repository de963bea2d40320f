"""A spaCy component that classifies whole texts, and the tokenizer that goes with it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import Self

import numpy as np
from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.tokens import Doc
from spacy.util import DummyTokenizer, registry
from spacy.vocab import Vocab

from bento.engines.components.scorer import F32, Scorer, Weights

FACTORY = "nlpserve_intent"
TOKENIZER = "nlpserve_whole_text.v1"
_FILE = "weights.npz"


class WholeText(DummyTokenizer):
    """A text as a document of one token.

    The classifier cuts words itself; spaCy's French tokenizer would take most of the time a text.
    """

    def __init__(self, vocab: Vocab) -> None:
        """Lexical attributes (shape, like_url ...) would be computed a text and never read."""
        self.vocab = vocab
        setattr(vocab, "lex_attr_getters", {})  # noqa: B010  not in its type stub

    def __call__(self, text: str) -> Doc:
        """One token, or none for the empty text."""
        return Doc(self.vocab, words=[text], spaces=[False]) if text else Doc(self.vocab)


class IntentClassifier(Pipe):
    """Sets doc.cats to one score a label; the scores add up to one and are calibrated."""

    def __init__(self, labels: Sequence[str], name: str = FACTORY) -> None:
        """Has no weights yet: see `set_weights` and `from_disk`."""
        self.name = name
        self._labels = tuple(labels)
        self._weights: Weights | None = None
        self._scorer: Scorer | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels in the order of the weights."""
        return self._labels

    def set_weights(self, weights: Weights) -> None:
        """Use these. Raises ValueError when they are not for this component's labels."""
        if len(weights.bias) != len(self._labels):
            message = f"weights are for {len(weights.bias)} labels, not {len(self._labels)}"
            raise ValueError(message)
        self._weights, self._scorer = weights, Scorer(weights)

    def count_unknown(self, texts: Sequence[str]) -> tuple[int, int]:
        """Words without a vector, and all words: a sign of drift."""
        if self._scorer is None:
            raise ValueError(f"component {self.name!r} has no weights")
        return self._scorer.count_unknown(texts)

    def predict(self, docs: Sequence[Doc]) -> F32:
        """Scores [docs, labels]."""
        return self.predict_texts([doc.text for doc in docs])

    def predict_texts(self, texts: Sequence[str]) -> F32:
        """Scores [texts, labels], without a document for each text."""
        if self._scorer is None:
            raise ValueError(f"component {self.name!r} has no weights")
        return self._scorer.probabilities(texts)

    def set_annotations(self, docs: Sequence[Doc], scores: F32) -> None:
        """Write the scores to the documents."""
        for doc, row in zip(docs, scores.tolist(), strict=True):
            doc.cats = dict(zip(self._labels, row, strict=True))

    def __call__(self, doc: Doc) -> Doc:
        """Classify one document."""
        self.set_annotations([doc], self.predict([doc]))
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 64) -> Iterator[Doc]:
        """Classify documents, `batch_size` at a time."""
        docs_left = iter(stream)
        while docs := list(islice(docs_left, batch_size)):
            self.set_annotations(docs, self.predict(docs))
            yield from docs

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Write the weights as one compressed archive of plain arrays."""
        if self._weights is None:
            raise ValueError(f"component {self.name!r} has no weights")
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {field.name: getattr(self._weights, field.name) for field in fields(Weights)}
        np.savez_compressed(folder / _FILE, allow_pickle=False, **arrays)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> Self:
        """Read the weights; nothing of the file can run code."""
        with np.load(Path(path) / _FILE, allow_pickle=False) as arrays:
            self.set_weights(
                Weights(**{field.name: arrays[field.name] for field in fields(Weights)})
            )
        return self


@registry.tokenizers(TOKENIZER)
def _create_tokenizer() -> Callable[[Language], WholeText]:
    return lambda nlp: WholeText(nlp.vocab)


@Language.factory(FACTORY, assigns=["doc.cats"], default_config={"labels": []})
def _create_classifier(nlp: Language, name: str, labels: list[str]) -> IntentClassifier:
    return IntentClassifier(labels, name)
