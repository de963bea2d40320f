"""One training loop for teacher and student, and scoring without gradients."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from tqdm import tqdm

from bento.train.emotion.data import length_batches

# GoEmotions comments hold at most 30 words; only broken rows reach this.
MAX_TOKENS = 64
BATCH = 64
WEIGHT_DECAY = 0.01
CLIP = 1.0
# Batches between two weights that go into the mean: neighbours hardly differ.
MEAN_EVERY = 8

Encoded = list[list[int]]
Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Schedule:
    """How long and how fast: lr rises over `warmup`, then falls linearly to 0.

    It would reach 0 after `epochs`; with `stop` training ends after so many. The result is the
    mean of the weights over the last `averaged` of the batches: one model to run, better than
    each that went into it.
    """

    lr: float
    epochs: int
    stop: int | None = None
    warmup: float = 0.06
    averaged: float = 0.5

    def factor(self, step: int, steps: int) -> float:
        """Share of the peak lr at `step` of `steps`."""
        rise = max(1, int(self.warmup * steps))
        return min((step + 1) / rise, (steps - step) / max(1, steps - rise))


class WeightMean:
    """The running mean of a model's trained weights."""

    def __init__(self, model: nn.Module) -> None:
        self.trained = [p for p in model.parameters() if p.requires_grad]
        self.means = [torch.zeros_like(p) for p in self.trained]
        self.taken = 0

    @torch.no_grad()
    def take(self) -> None:
        """Add the weights as they are now."""
        self.taken += 1
        for mean, weight in zip(self.means, self.trained, strict=True):
            mean.lerp_(weight, 1 / self.taken)

    @torch.no_grad()
    def apply(self) -> None:
        """Set the model's weights to the mean; leave them when none were taken."""
        if self.taken:
            for mean, weight in zip(self.means, self.trained, strict=True):
                weight.copy_(mean)


def encode(tokenizer: Tokenizer, texts: Sequence[str]) -> Encoded:
    """Token ids of each text, with special tokens, cut at MAX_TOKENS."""
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return [item.ids for item in tokenizer.encode_batch(list(texts))]


def collate(ids: Sequence[Sequence[int]]) -> Batch:
    """Ids and mask, int64 [batch, longest], padded with 0 ([PAD] in BERT's vocabulary)."""
    longest = max(map(len, ids))
    tokens = torch.zeros((len(ids), longest), dtype=torch.int64)
    mask = torch.zeros_like(tokens)
    for row, item in enumerate(ids):
        tokens[row, : len(item)] = torch.tensor(item)
        mask[row, : len(item)] = 1
    return tokens, mask


def fit(
    model: nn.Module,
    ids: Encoded,
    loss_of: Callable[[Tensor, Tensor], Tensor],
    schedule: Schedule,
    *,
    seed: int,
    on_epoch: Callable[[int], None],
) -> None:
    """Train `model` in place; it ends with the mean of its weights, in evaluation mode.

    `loss_of` gets the logits of a batch and the indices of its rows in `ids`,
    so that targets of any kind stay with the caller. `on_epoch` is called
    after each epoch with its number from 1, the model in evaluation mode and
    its weights those of the moment, not the mean.
    """
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.dim() > 1], "weight_decay": WEIGHT_DECAY},
        {"params": [p for p in trained if p.dim() <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=schedule.lr, fused=True)
    lengths = [len(item) for item in ids]
    steps = schedule.epochs * -(-len(ids) // BATCH)
    step = 0
    last = schedule.stop or schedule.epochs
    total = steps // schedule.epochs * last
    mean = WeightMean(model)
    with tqdm(total=total, desc="train", unit="batch", disable=None) as bar:
        for epoch in range(1, last + 1):
            model.train()
            for rows in length_batches(lengths, BATCH, rng):
                for group in optimizer.param_groups:
                    group["lr"] = schedule.lr * schedule.factor(step, steps)
                tokens, mask = collate([ids[row] for row in rows])
                with torch.autocast("cpu", torch.bfloat16):
                    logits = model(tokens, mask)
                loss = loss_of(logits.float(), torch.from_numpy(rows))
                loss.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(trained, CLIP)
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
                step += 1
                if step > total * (1 - schedule.averaged) and step % MEAN_EVERY == 0:
                    mean.take()
                bar.update()
                bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
            model.eval()
            on_epoch(epoch)
    mean.apply()


def predict(
    model: nn.Module, ids: Encoded, batch: int = 256, *, autocast: bool = False
) -> NDArray[np.float32]:
    """Logits of every row in the given order, fp32 [rows, labels]."""
    model.eval()
    order = np.argsort([len(item) for item in ids], kind="stable")
    parts = []
    starts = range(0, len(order), batch)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        for start in tqdm(starts, desc="predict", unit="batch", disable=None):
            rows = order[start : start + batch]
            parts.append(model(*collate([ids[row] for row in rows])).float().numpy())
    logits = np.concatenate(parts)
    result = np.empty_like(logits)
    result[order] = logits
    return result
