"""A transformer as ONNX into an artifact: model.onnx and tokenizer.json, tried on a few ids."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from bento.engines.transformer import MODEL, TOKENIZER, unknown_counter
from bento.engines.unknown_words import CountUnknown
from bento.train.errors import TrainError
from bento.train.package import Prepared

# Their position table begins after the padding id, so that many positions are never used.
OFFSET_POSITIONS = frozenset(
    {"roberta", "xlm-roberta", "camembert", "xlm-roberta-xl", "longformer"}
)

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
    labels = list(labels) or check_config(source, config, weights=False)
    for name in (MODEL, TOKENIZER):
        shutil.copyfile(source / name, target / name)
    unknown = unknown_in(target)
    check_logits(source, target, labels)
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


def check_config(source: Path, config: dict[str, Any], *, weights: bool = True) -> list[str]:
    """The labels in the order of the outputs. Raises TrainError for a model that is not served."""
    where = f"{source} -> config.json"
    if "auto_map" in config:
        raise TrainError(f"[{where} -> auto_map] the model brings code of its own, never run here")
    if config.get("problem_type") in ("multi_label_classification", "regression"):
        raise TrainError(
            f"[{where} -> problem_type] is {config['problem_type']}; one label for each text is"
            " served"
        )
    names = config.get("id2label")
    if not isinstance(names, dict):
        raise TrainError(f"[{where} -> id2label] is missing: the outputs have no names")
    try:
        labels = [str(names[str(position)]) for position in range(len(names))]
    except KeyError as error:
        raise TrainError(f"[{where} -> id2label] has no name for output {error}") from None
    if len(labels) < 2:
        raise TrainError(f"[{where} -> id2label] has {len(labels)} outputs; 2 are needed")
    if weights and not list(source.glob("*.safetensors")):
        raise TrainError(f"[{source}] has no .safetensors; pickled weights are never loaded")
    return labels


def token_limit(config: dict[str, Any], *limits: int | None) -> int | None:
    """The longest input in tokens that the position table and all `limits` allow.

    None when nothing says.
    """
    known = [limit for limit in limits if limit]
    if positions := config.get("max_position_embeddings"):
        used = config.get("model_type") in OFFSET_POSITIONS
        known.append(int(positions) - (int(config.get("pad_token_id") or 0) + 1 if used else 0))
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
        ids = np.arange(1, 9, dtype=np.int64).reshape(2, 4)
        logits = run_model(folder, ids, np.ones_like(ids))
    except Exception as error:  # noqa: BLE001  onnxruntime raises classes of its own
        raise TrainError(f"[{source} -> {MODEL}] does not run: {first_line(error)}") from None
    if logits.shape != (2, len(labels)):
        raise TrainError(
            f"[{source} -> {MODEL}] gives {list(logits.shape)} for 2 texts and {len(labels)} labels"
        )
    if (logits >= 0).all() and np.allclose(logits.sum(axis=1), 1.0, atol=1e-3):
        raise TrainError(f"[{source} -> {MODEL}] gives probabilities; export it with logits")


def run_model(folder: Path, ids: Ids, mask: Ids) -> NDArray[np.float32]:
    """What the folder's model gives for ids and mask, [texts, tokens] each."""
    import onnxruntime as ort  # noqa: PLC0415

    session = ort.InferenceSession(folder / MODEL, providers=["CPUExecutionProvider"])
    feeds = {entry.name: np.zeros_like(ids) for entry in session.get_inputs()}
    feeds |= {"input_ids": ids, "attention_mask": mask}
    return np.asarray(session.run(None, feeds)[0], dtype=np.float32)


def first_line(error: Exception) -> str:
    """What an error says first; libraries often go on for pages."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
