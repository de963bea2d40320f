"""A transformer as ONNX into an artifact: model.onnx and tokenizer.json, tried on a few ids."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Tokenizer

from bento.artifacts import first_line
from bento.engines.transformer import MODEL, TOKENIZER, unknown_counter
from bento.engines.unknown_words import CountUnknown
from bento.train.errors import TrainError
from bento.train.package import Prepared

# Their position table begins after the padding id, so that many positions are never used.
OFFSET_POSITIONS = frozenset(
    {"roberta", "roberta-prelayernorm", "xlm-roberta", "xlm-roberta-xl", "camembert", "longformer"}
    | {"mpnet", "data2vec-text", "xmod", "ibert", "luke", "esm"}
)
OFFSET_PADDING = 1
"""Their padding id where the config names none."""
TOLERANCE = 1e-3
"""How far logits that should be equal may be apart, relative to the largest."""
TOLERANCE_QUANTISED = 0.1
"""The same for 8-bit activations, which are rounded, by scales that may depend on the batch."""

Ids = NDArray[np.int64]


def prepare_onnx(
    source: Path, target: Path, labels: Sequence[str] = (), most_tokens: int | None = None
) -> Prepared:
    """Copy a folder's model.onnx and tokenizer.json; labels from config.json unless given.

    Inputs are cut at `most_tokens`, or where the config's positions or the tokenizer end. Raises
    TrainError when a file is missing, or the model gives anything but logits of two labels or
    more.
    """
    for name in (MODEL, TOKENIZER):
        if not (source / name).is_file():
            raise TrainError(f"[{source} -> {name}] is missing")
    config = {} if labels and not (source / "config.json").is_file() else read_config(source)
    check_served(source, config)
    labels = list(labels) or config_labels(source, config)
    for name in (MODEL, TOKENIZER):
        shutil.copyfile(source / name, target / name)
    unknown = unknown_in(target)
    check_logits(source, target, labels)
    try:
        check_padding(target)
    except ValueError as error:
        raise TrainError(f"[{source} -> {MODEL}] {error}") from None
    truncation = Tokenizer.from_file(str(target / TOKENIZER)).truncation or {}
    limit = token_limit(config, truncation.get("max_length"), most_tokens)
    return Prepared("transformer-onnx", labels, unknown, max_tokens=limit)


def read_config(source: Path) -> dict[str, Any]:
    """The folder's config.json. Raises TrainError."""
    try:
        config = json.loads((source / "config.json").read_bytes())
    except OSError:
        raise TrainError(f"[{source}] has no config.json; is it a saved model?") from None
    except ValueError as error:
        raise TrainError(f"[{source} -> config.json] is not JSON: {error}") from None
    if not isinstance(config, dict):
        raise TrainError(f"[{source} -> config.json] holds no object")
    return config


def check_served(source: Path, config: dict[str, Any]) -> None:
    """Raise TrainError for a model that brings code, or does not give one label for each text."""
    where = f"{source} -> config.json"
    if "auto_map" in config:
        raise TrainError(f"[{where} -> auto_map] the model brings code of its own, never run here")
    if config.get("problem_type") in ("multi_label_classification", "regression"):
        raise TrainError(
            f"[{where} -> problem_type] is {config['problem_type']}; one label for each text is"
            " served"
        )


def config_labels(source: Path, config: dict[str, Any]) -> list[str]:
    """The labels in the order of the outputs. Raises TrainError when some are missing."""
    where = f"{source} -> config.json"
    names = config.get("id2label")
    if not isinstance(names, dict):
        raise TrainError(f"[{where} -> id2label] is missing: the outputs have no names")
    try:
        labels = [str(names[str(position)]) for position in range(len(names))]
    except KeyError as error:
        raise TrainError(f"[{where} -> id2label] has no name for output {error}") from None
    if len(labels) < 2:
        raise TrainError(f"[{where} -> id2label] has {len(labels)} outputs; 2 are needed")
    return labels


def token_limit(config: dict[str, Any], *limits: int | None) -> int | None:
    """The longest input in tokens that the position table and all `limits` allow.

    None when nothing says.
    """
    known = [limit for limit in limits if limit]
    if positions := config.get("max_position_embeddings"):
        unused = 0
        if config.get("model_type") in OFFSET_POSITIONS:
            padding = config.get("pad_token_id")
            unused = 1 + (OFFSET_PADDING if padding is None else int(padding))
        known.append(int(positions) - unused)
    return max(1, min(known)) if known else None


def unknown_in(folder: Path) -> CountUnknown:
    """What the folder's tokenizer does not know. Raises TrainError when it does not load."""
    try:
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    except Exception as error:  # noqa: BLE001  tokenizers raises plain Exception
        raise TrainError(f"[{TOKENIZER}] does not load: {error}") from None
    tokenizer.no_truncation()
    return unknown_counter(tokenizer)


def check_logits(source: Path, folder: Path, labels: Sequence[str]) -> None:
    """Run a few token ids through the copied model."""
    try:
        ids = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [8, 6, 4, 2], [7, 5, 3, 1]], dtype=np.int64)
        logits = run_model(open_model(folder), ids, np.ones_like(ids))
    except Exception as error:  # noqa: BLE001  onnxruntime raises classes of its own
        raise TrainError(f"[{source} -> {MODEL}] does not run: {first_line(error)}") from None
    if logits.shape != (len(ids), len(labels)):
        raise TrainError(
            f"[{source} -> {MODEL}] gives {list(logits.shape)} for {len(ids)} texts and"
            f" {len(labels)} labels"
        )
    if ((logits >= 0) & (logits <= 1)).all():  # of a softmax, or of one sigmoid for each label
        raise TrainError(f"[{source} -> {MODEL}] gives probabilities; export it with logits")


def check_padding(folder: Path) -> None:
    """Raise ValueError when a row is answered otherwise beside a longer one, padded as served."""
    ids = np.array([[3, 4, 5, 6, 7, 8, 3], [4, 6, 8, 0, 0, 0, 0]], dtype=np.int64)
    session = open_model(folder)
    alone = run_model(session, ids[1:, :3], np.ones((1, 3), dtype=np.int64))[0]
    beside = run_model(session, ids, (ids > 0).astype(np.int64))[1]
    quantised = b"QuantizeLinear" in (folder / MODEL).read_bytes()
    tolerance = TOLERANCE_QUANTISED if quantised else TOLERANCE
    if (difference := distance(beside, alone)) > tolerance:
        raise ValueError(
            f"answers a text otherwise beside a longer one, by {difference:.3g}: it looks past"
            " attention_mask, or for a padding id of its own"
        )


def distance(logits: NDArray[np.float32], wanted: NDArray[np.float32]) -> float:
    """The largest difference, relative to the largest logit where that is over 1."""
    return float(np.abs(logits - wanted).max()) / max(1.0, float(np.abs(wanted).max()))


def open_model(folder: Path) -> ort.InferenceSession:
    """The folder's model, to be run."""
    return ort.InferenceSession(folder / MODEL, providers=["CPUExecutionProvider"])


def run_model(session: ort.InferenceSession, ids: Ids, mask: Ids) -> NDArray[np.float32]:
    """What the model gives for ids and mask, [texts, tokens] each."""
    feeds = {entry.name: np.zeros_like(ids) for entry in session.get_inputs()}
    feeds |= {"input_ids": ids, "attention_mask": mask}
    return np.asarray(session.run(None, feeds)[0], dtype=np.float32)
