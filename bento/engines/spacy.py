"""spaCy pipelines with one exclusive text classifier."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import spacy
from spacy.language import Language

from bento.artifacts import Artifact, ArtifactError, first_line
from bento.engines import Scores, unknown_words
from bento.engines.components.intent_classifier import IntentClassifier, WholeText

PIPELINE = "pipeline"


class SpacyEngine:
    """A spaCy pipeline. Words that its vocabulary lacks are forgotten after each batch."""

    def __init__(self, artifact: Artifact) -> None:
        """Raise ArtifactError when the pipeline does not load or its labels differ."""
        folder = artifact.folder / PIPELINE
        try:
            self._nlp = spacy.load(folder)
        except (OSError, ValueError, KeyError) as error:
            raise ArtifactError(f"{folder} is no spaCy pipeline: {first_line(error)}") from None
        self.labels = tuple(artifact.manifest.labels)
        found = {
            label
            for name in self._nlp.pipe_names
            for label in getattr(self._nlp.get_pipe(name), "labels", ())
        }
        missing = set(self.labels) - found
        if missing:
            raise ArtifactError(f"{folder} has no classifier for {', '.join(sorted(missing))}")
        self._folder = folder
        self._direct = _direct_classifier(self._nlp, self.labels)

    def predict(self, texts: Sequence[str]) -> Iterator[tuple[Sequence[int], Scores]]:
        """Classify all texts as one group."""
        if self._direct is not None:
            yield range(len(texts)), self._direct.predict_texts(texts)
        else:
            yield from self.predict_by_pipeline(texts)

    def predict_by_pipeline(self, texts: Sequence[str]) -> Iterator[tuple[Sequence[int], Scores]]:
        """The same through spaCy's own `pipe`, as anyone would run the pipeline."""
        labels = self.labels
        with self._nlp.memory_zone():
            rows = [
                [cats[label] for label in labels]
                for cats in (doc.cats for doc in self._nlp.pipe(texts, batch_size=len(texts)))
            ]
        yield range(len(texts)), np.asarray(rows, dtype=np.float32)

    def unknown_counter(self) -> unknown_words.CountUnknown | None:
        """Counts words without a vector."""
        return unknown_counter(self._nlp, self._folder)


def unknown_counter(nlp: Language, folder: Path) -> unknown_words.CountUnknown | None:
    """Counts words without a vector, of the pipeline `nlp` that was loaded from `folder`.

    A component that keeps words of its own says which it knows. None without any vectors.
    """
    for name in nlp.pipe_names:
        own: unknown_words.CountUnknown | None = getattr(nlp.get_pipe(name), "count_unknown", None)
        if own is not None:
            return own
    if not nlp.vocab.vectors_length:
        return None
    vectors = nlp.vocab.vectors
    # The same tokenizer with words of its own: two threads must not add to one vocabulary.
    tokenizer = spacy.load(folder, exclude=["vocab", *nlp.pipe_names])

    def count(texts: Sequence[str]) -> unknown_words.Counted:
        with tokenizer.memory_zone():
            keys = [tokenizer.make_doc(text).to_array(["IS_ALPHA", vectors.attr]) for text in texts]
        return unknown_words.total(
            unknown_words.of_words((alpha, key in vectors) for alpha, key in rows.tolist())
            for rows in keys
        )

    return count


def _direct_classifier(nlp: Language, labels: tuple[str, ...]) -> IntentClassifier | None:
    """Our classifier, when it is all that the pipeline has: it reads texts, so a document for each
    is a quarter of the time for nothing.
    """
    if len(nlp.pipeline) != 1 or not isinstance(nlp.tokenizer, WholeText):
        return None
    component = nlp.pipeline[0][1]
    if isinstance(component, IntentClassifier) and component.labels == labels:
        return component
    return None
