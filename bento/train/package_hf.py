"""A user's model saved by transformers into an artifact, exported and compared. Needs torch."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bento.artifacts import first_line
from bento.train.errors import TrainError
from bento.train.package import Prepared
from bento.train.package_onnx import (
    TOLERANCE,
    check_padding,
    check_served,
    config_labels,
    distance,
    open_model,
    read_config,
    run_model,
    token_limit,
    unknown_in,
)

if TYPE_CHECKING:  # needs torch
    from bento.train.emotion.export import Quantize

HEAD = "ForSequenceClassification"


def prepare_hf(
    source: Path, target: Path, quantize: "Quantize" = "none", most_tokens: int | None = None
) -> Prepared:
    """Export a saved AutoModelForSequenceClassification with its fast tokenizer.

    Inputs are cut at `most_tokens`, or where model and tokenizer end. Needs the training
    environment. Raises TrainError for custom code, pickled weights, a head of one output or of
    several labels at once, or a tokenizer without tokenizer.json.
    """
    config = read_config(source)
    check_served(source, config)
    labels = config_labels(source, config)
    if not list(source.glob("*.safetensors")):
        raise TrainError(f"[{source}] has no .safetensors; pickled weights are never loaded")
    try:
        import torch  # noqa: PLC0415
        from transformers import AutoModelForSequenceClassification, AutoTokenizer  # noqa: PLC0415

        from bento.train.emotion.export import export_classifier  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise TrainError(f"[--hf] needs the training environment: no {error.name}") from None
    try:
        model, loaded = AutoModelForSequenceClassification.from_pretrained(
            source,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
        tokenizer = AutoTokenizer.from_pretrained(
            source, local_files_only=True, trust_remote_code=False, use_fast=True
        )
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise TrainError(f"[{source}] transformers cannot load it: {first_line(error)}") from None
    if lacking := sorted(loaded["missing_keys"]):
        raise TrainError(
            f"[{source}] is no whole {HEAD}: it lacks {', '.join(lacking[:3])}, which would be"
            " random"
        )
    if not getattr(tokenizer, "is_fast", False):
        raise TrainError(f"[{source}] its tokenizer has no fast form, which tokenizer.json needs")
    limit = token_limit(config, int(tokenizer.model_max_length), most_tokens)
    backend = tokenizer.backend_tokenizer
    if limit:  # which end of a long text is cut is kept in tokenizer.json
        backend.enable_truncation(limit, direction=tokenizer.truncation_side)
    try:
        export_classifier(model.eval(), backend, target, "none")
        check_export(target, model)
        check_padding(target)
        if quantize != "none":
            export_classifier(model, backend, target, quantize)
    except Exception as error:  # noqa: BLE001  torch and onnxruntime raise classes of their own
        raise TrainError(f"[{source}] cannot be exported: {first_line(error)}") from None
    return Prepared("transformer-onnx", labels, unknown_in(target), max_tokens=limit)


def check_export(folder: Path, model: Any) -> None:  # noqa: ANN401
    """Raise ValueError when the exported model answers otherwise than the torch module."""
    import torch  # noqa: PLC0415

    session = open_model(folder)
    for ids in (np.arange(3, 10, dtype=np.int64)[None], np.arange(10, 14, dtype=np.int64)[None]):
        mask = np.ones_like(ids)
        tensors = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
        with torch.inference_mode():
            wanted = model(**tensors).logits.numpy()
        if (difference := distance(run_model(session, ids, mask), wanted)) > TOLERANCE:
            raise ValueError(f"the exported logits are off by {difference:.3g}")
