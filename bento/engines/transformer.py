"""Transformers as ONNX: tokens in, logits out, texts of like length run together."""

import os
from collections.abc import Iterator, Sequence

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Tokenizer

from bento.artifacts import Artifact, ArtifactError
from bento.engines import Scores, unknown_words

MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"
DEFAULT_MAX_TOKENS = 128
GROUP_TOKENS = 128
"""Padded tokens of one run. Larger groups are slower, not faster: their activations leave the
core's cache and short texts are padded to longer ones."""


def group_by_length(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Positions in groups of like length, shortest first, at most `budget` padded tokens each."""
    group: list[int] = []
    for position in sorted(range(len(lengths)), key=lengths.__getitem__):
        if group and (len(group) + 1) * lengths[position] > budget:
            yield group
            group = []
        group.append(position)
    if group:
        yield group


def softmax(logits: NDArray[np.float32]) -> Scores:
    """Row-wise softmax of FP32 [n, labels]."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    scores: Scores = powers / powers.sum(axis=1, keepdims=True)
    return scores


def unknown_counter(tokenizer: Tokenizer) -> unknown_words.CountUnknown:
    """Counts words that the tokenizer has no piece for, or only small ones."""
    unknown_token = getattr(tokenizer.model, "unk_token", None)
    unknown_id = tokenizer.token_to_id(unknown_token) if unknown_token else None

    def count(texts: Sequence[str]) -> unknown_words.Counted:
        # Not encode_batch_fast: its encodings do not tell which word a piece is of.
        encodings = tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return unknown_words.total(
            unknown_words.of_encoding(encoding, unknown_id) for encoding in encodings
        )

    return count


class TransformerEngine:
    """A sequence classifier: `input_ids`, `attention_mask` [n, tokens] → `logits` [n, labels]."""

    def __init__(self, artifact: Artifact, *, threads: int) -> None:
        """Raise ArtifactError when tokenizer or model do not load or do not fit the manifest."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Spinning threads would take the core that the event loop needs.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = ort.InferenceSession(
                artifact.folder / MODEL, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # noqa: BLE001  onnxruntime raises classes of its own
            raise ArtifactError(f"{artifact.folder / MODEL} does not load: {error}") from None
        # Read when the tokenizer first works: it would else take every core of the node.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "true" if threads > 1 else "false")
        os.environ.setdefault("RAYON_NUM_THREADS", str(threads))
        try:
            self._tokenizer = Tokenizer.from_file(str(artifact.folder / TOKENIZER))
        except Exception as error:  # noqa: BLE001  tokenizers raises plain Exception
            raise ArtifactError(f"{artifact.folder / TOKENIZER} does not load: {error}") from None
        end_that_is_cut = (self._tokenizer.truncation or {}).get("direction", "right")
        self._tokenizer.enable_truncation(
            artifact.manifest.max_tokens or DEFAULT_MAX_TOKENS, direction=end_that_is_cut
        )
        self._tokenizer.no_padding()
        self._inputs = {entry.name for entry in self._session.get_inputs()}
        unknown = self._inputs - {"input_ids", "attention_mask", "token_type_ids"}
        if unknown:
            raise ArtifactError(f"{artifact.folder / MODEL} wants unknown inputs {sorted(unknown)}")
        self.labels = tuple(artifact.manifest.labels)
        width = self._session.get_outputs()[0].shape[-1]
        if width != len(self.labels):
            raise ArtifactError(
                f"{artifact.folder / MODEL} has {width} outputs for {len(self.labels)} labels"
            )

    def predict(self, texts: Sequence[str]) -> Iterator[tuple[Sequence[int], Scores]]:
        """Classify in groups of like length, each yielded as soon as it is done."""
        encodings = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts))]
        lengths = [len(ids) for ids in encodings]
        for group in group_by_length(lengths, GROUP_TOKENS):
            yield group, softmax(self._run([encodings[position] for position in group]))

    def unknown_counter(self) -> unknown_words.CountUnknown:
        """Counts words that the tokenizer has no piece for, or only small ones."""
        return unknown_counter(self._tokenizer)

    def _run(self, rows: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        width = max(map(len, rows))
        ids = np.zeros((len(rows), width), dtype=np.int64)
        mask = np.zeros((len(rows), width), dtype=np.int64)
        for position, row in enumerate(rows):
            ids[position, : len(row)] = row
            mask[position, : len(row)] = 1
        feeds = {"input_ids": ids, "attention_mask": mask}
        if "token_type_ids" in self._inputs:
            feeds["token_type_ids"] = np.zeros_like(ids)
        logits: NDArray[np.float32] = self._session.run(None, feeds)[0]
        if not np.isfinite(logits).all():
            raise FloatingPointError("the model gave logits that are no finite numbers")
        return logits.astype(np.float32, copy=False)
