"""Scores of a model on a labelled file, from its artifact or from a running service.

Runs where the service runs: no torch, no scikit-learn.
"""

import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from bento.artifacts import NAME_PATTERN, ArtifactError, Manifest, read_artifact
from bento.engines import load_engine
from bento.train.calibration import expected_calibration_error
from bento.train.labelled import Labelled, check_labels
from bento.train.measures import Counts, confusion, measures, reduced_truth

BATCH = 64
WARM_UP_BATCHES = 2
SHIPPED = Path(__file__).parents[1] / "models"


class Answers(Protocol):
    """What classifies: an artifact in this process, or a service."""

    labels: tuple[str, ...]

    def answer(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Scores of the texts, [texts, labels], in the order of `labels`."""
        ...


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All predictions on a file. Arrays are [rows]; truth and predicted are label positions."""

    labels: tuple[str, ...]
    truth: NDArray[np.int64]
    predicted: NDArray[np.int64]
    confidence: NDArray[np.float64]
    docs_per_s: float

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether the prediction is among the row's labels."""
        right: NDArray[np.bool_] = self.truth == self.predicted
        return right

    @property
    def matrix(self) -> Counts:
        """Rows by true and by predicted label."""
        return confusion(self.truth, self.predicted, len(self.labels))

    def scores(self) -> dict[str, float]:
        """The measures, the calibration error, how many documents, and how many a second."""
        result = measures(self.matrix)
        result["ece"] = expected_calibration_error(self.confidence, self.right)
        result["docs_per_s"] = self.docs_per_s
        result["documents"] = float(len(self.truth))
        return result


class ArtifactAnswers:
    """An artifact, loaded on one thread."""

    def __init__(self, folder: Path) -> None:
        """Raise ArtifactError when the artifact is wrong or does not load."""
        # Read by the tokenizer when first used: its own threads would make docs_per_s that of
        # the machine, not of one thread.
        os.environ["TOKENIZERS_PARALLELISM"] = "false"
        artifact = read_artifact(folder)
        self.manifest: Manifest = artifact.manifest
        self._engine = load_engine(artifact, threads=1)
        self.labels = self._engine.labels

    def answer(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Scores of the texts, [texts, labels]."""
        scores = np.empty((len(texts), len(self.labels)), dtype=np.float32)
        for positions, part in self._engine.predict(texts):
            scores[list(positions)] = part
        return scores


def find_artifact(model: str) -> Path:
    """The folder of a shipped model by name, else the path itself.

    Raises ArtifactError when there is neither.
    """
    folder = SHIPPED / model if re.fullmatch(NAME_PATTERN, model) else Path(model)
    if folder.is_dir():
        return folder
    if Path(model).is_dir():
        return Path(model)
    shipped = ", ".join(sorted(path.name for path in SHIPPED.glob("*") if path.is_dir())) or "none"
    raise ArtifactError(f"{model} is neither a shipped model ({shipped}) nor a folder")


def batches(texts: Sequence[str], size: int = BATCH) -> Iterator[Sequence[str]]:
    """The texts in order, `size` at a time."""
    for start in range(0, len(texts), size):
        yield texts[start : start + size]


def evaluate(rows: Sequence[Labelled], model: Answers, *, title: str = "evaluate") -> Evaluation:
    """Classify every row in file order, in batches of BATCH, after warming up on the first ones.

    `docs_per_s` counts the time of the answers alone. A prediction is right when it is among the
    row's labels; `reduced_truth` says what the other measures take as the row's label. Raises
    LabelledFileError when a row has a label that the model does not know.
    """
    check_labels(rows, model.labels)
    texts = [row.text for row in rows]
    for batch in batches(texts[: WARM_UP_BATCHES * BATCH]):
        model.answer(batch)
    parts: list[NDArray[np.float32]] = []
    seconds = 0.0
    with tqdm(total=len(texts), desc=title, unit="doc", delay=2, disable=None) as bar:
        for batch in batches(texts):
            started = time.perf_counter()
            parts.append(model.answer(batch))
            seconds += time.perf_counter() - started
            bar.update(len(batch))
    scores = np.concatenate(parts).astype(np.float64)
    predicted = scores.argmax(axis=1)
    return Evaluation(
        labels=model.labels,
        truth=reduced_truth(rows, predicted.tolist(), model.labels),
        predicted=predicted,
        confidence=scores.max(axis=1).clip(0.0, 1.0),
        docs_per_s=len(texts) / max(seconds, 1e-9),
    )


def rounded(scores: Mapping[str, float]) -> dict[str, float | int]:
    """For print: ratios to four places, speed to one, the count whole."""
    places = {"docs_per_s": 1, "documents": 0}
    return {
        name: int(value) if name == "documents" else round(value, places.get(name, 4))
        for name, value in scores.items()
    }
