"""Artifact to batch function. An engine is one loaded model; it knows nothing of HTTP or queues."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bento.artifacts import Artifact, ArtifactError
from bento.engines.unknown_words import CountUnknown

Scores = NDArray[np.float32]


class Engine(Protocol):
    """A loaded model."""

    labels: tuple[str, ...]

    def predict(self, texts: Sequence[str]) -> Iterator[tuple[Sequence[int], Scores]]:
        """Classify texts, in groups that suit the model.

        Yields (positions in `texts`, scores FP32 [n, labels] whose rows sum to one), each
        position exactly once, as soon as its group is done.
        """
        ...

    def unknown_counter(self) -> CountUnknown | None:
        """Counts the words that the model does not know; None when it cannot tell."""
        ...


def load_engine(artifact: Artifact, *, threads: int) -> Engine:
    """Load the artifact's model, to run on `threads` threads at most.

    Raises ArtifactError when the files do not hold the model that the manifest describes.
    The engines' libraries are imported here, so that a process pays only for what it serves.
    """
    match artifact.manifest.kind:
        case "spacy":
            from bento.engines.spacy import SpacyEngine  # noqa: PLC0415

            return SpacyEngine(artifact)
        case "transformer-onnx":
            from bento.engines.transformer import TransformerEngine  # noqa: PLC0415

            return TransformerEngine(artifact, threads=threads)
    raise ArtifactError(f"{artifact.folder}: unknown kind {artifact.manifest.kind!r}")
