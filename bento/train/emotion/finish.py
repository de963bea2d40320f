"""The student as the files that are served, but for the constants that `calibrate` fits.

The int8 file has fixed activation scales, taken from training texts: see `activations`.
"""

from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from torch import nn
from tqdm import tqdm

from bento.train.emotion.activations import fix_activations
from bento.train.emotion.data import read_rows
from bento.train.emotion.export import export_classifier
from bento.train.emotion.loop import Encoded, collate, encode
from bento.train.emotion.model import CHECKPOINT, TOKENIZER, load

# Training texts that set the activations' scales, and how many of them run together.
SCALE_TEXTS = 768
SCALE_BATCH = 16


def run(student: Path, train: Path, out: Path, seed: int) -> None:
    """Write model.onnx and tokenizer.json to `out`/int8, the same in fp32 to `out`/fp32.

    `seed` draws the training texts that set the activations' scales.
    """
    words = Tokenizer.from_file(str(student / TOKENIZER))
    model = load(student / CHECKPOINT).eval()
    texts = [row.text for row in read_rows(train)]
    chosen = np.random.default_rng(seed).choice(len(texts), SCALE_TEXTS, replace=False)
    sample = encode(words, [texts[place] for place in chosen])
    _export_fixed(model, words, sample, out, seed)


def _export_fixed(
    model: nn.Module, words: Tokenizer, sample: Encoded, out: Path, seed: int
) -> None:
    """fp32 to `out`/fp32, int8 with fixed activation scales to `out`/int8."""
    fused = export_classifier(model, words, out / "fp32", "none")
    dynamic = export_classifier(model, words, out / "int8", "int8")
    ordered = sorted(sample, key=len)
    starts = tqdm(range(0, len(ordered), SCALE_BATCH), desc="scales", disable=None)
    batches = (collate(ordered[start : start + SCALE_BATCH]) for start in starts)
    feeds = ({"input_ids": ids.numpy(), "attention_mask": mask.numpy()} for ids, mask in batches)
    fix_activations(fused, dynamic, dynamic, feeds, seed)
