"""The neural half: a small convolutional network over frozen word vectors.

Kim (2014), "Convolutional neural networks for sentence classification", with a shared linear
projection first, so that serving stores projected vectors. Texts are kept flat, not padded, as in
serving: CLOSE | OPEN w .. w CLOSE | OPEN w .. w CLOSE | OPEN, pooled over each OPEN .. CLOSE.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional
from tqdm import tqdm

from bento.engines.components import hashing
from bento.engines.components.scorer import CLOSE, FIRST, OPEN, UNKNOWN, find_words
from bento.train.intent.vectors import WordVectors


@dataclass(frozen=True, slots=True)
class Settings:
    """Sizes and regularisation, chosen by cross-validation on the training file."""

    project: int = 96
    filters: int = 96
    widths: tuple[int, ...] = (1, 2, 3)
    drop_words: float = 0.1
    drop_inputs: float = 0.2
    drop_pooled: float = 0.4
    smoothing: float = 0.05
    rate: float = 2e-3
    decay: float = 1e-3
    epochs: int = 12
    batch: int = 32


def word_ids(texts: Sequence[str], vectors: WordVectors) -> list[NDArray[np.int64]]:
    """Ids of the words of each text."""
    batch = hashing.read(texts)
    ids = find_words(batch.words, vectors.keys, vectors.rows)
    cuts = np.cumsum(np.bincount(batch.word_doc, minlength=batch.size))[:-1]
    return np.split(ids, cuts)


def _flat(texts: Sequence[NDArray[np.int64]]) -> tuple[torch.Tensor, torch.Tensor]:
    parts = [np.array([CLOSE])]
    for ids in texts:
        parts += [np.array([OPEN]), ids, np.array([CLOSE])]
    parts.append(np.array([OPEN]))
    lengths = torch.tensor([len(ids) + 2 for ids in texts])
    return torch.from_numpy(np.concatenate(parts)), lengths


class Network(nn.Module):
    """Projection, convolutions of several widths, maximum over the text, one linear layer."""

    def __init__(self, vectors: torch.Tensor, classes: int, settings: Settings) -> None:
        """`vectors`: [R, 300], frozen."""
        super().__init__()
        self.settings = settings
        self.register_buffer("vectors", vectors)
        self.project = nn.Linear(vectors.shape[1], settings.project, bias=False)
        self.special = nn.Parameter(torch.randn(FIRST, settings.project) * 0.1)
        self.convolutions = nn.ModuleList(
            nn.Linear(settings.project * width, settings.filters) for width in settings.widths
        )
        self.out = nn.Linear(settings.filters * len(settings.widths), classes)

    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        """Projected vectors [words, project]."""
        projected = self.project(self.vectors[(ids - FIRST).clamp(min=0)])
        special = self.special[ids.clamp(max=FIRST - 1)]
        return torch.where((ids < FIRST)[:, None], special, projected)

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Logits [texts, classes] of flat word ids."""
        settings = self.settings
        if self.training:
            lost = (torch.rand(ids.shape) < settings.drop_words) & (ids >= FIRST)
            ids = torch.where(lost, UNKNOWN, ids)
        inputs = functional.dropout(self.embed(ids), settings.drop_inputs, self.training)
        pooled = []
        for width, layer in zip(settings.widths, self.convolutions, strict=True):
            # Widths 1, 2, 3 see the word itself, the one before too, the one after too.
            window = [inputs[1:-1], inputs[:-2], inputs[2:]][:width]
            hidden = functional.relu(layer(torch.cat(window, 1)))
            pooled.append(torch.segment_reduce(hidden, "max", lengths=lengths, axis=0))
        features = functional.dropout(torch.cat(pooled, 1), settings.drop_pooled, self.training)
        logits: torch.Tensor = self.out(features)
        return logits


@contextmanager
def one_thread() -> Iterator[None]:
    """More gain nothing at this size, and sums would differ. What trains next has its own count."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@one_thread()
def fit(
    texts: Sequence[NDArray[np.int64]],
    labels: NDArray[np.int64],
    vectors: WordVectors,
    settings: Settings,
    *,
    seed: int,
) -> Network:
    """Train with AdamW, a linear rate to zero and label smoothing. Deterministic."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    classes = int(labels.max()) + 1
    network = Network(torch.from_numpy(vectors.floats()), classes, settings)
    parameters = list(network.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=settings.rate, weight_decay=settings.decay)
    starts = range(0, len(texts), settings.batch)
    steps = settings.epochs * len(starts)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / 100) * (1 - step / steps)
    )
    targets = torch.from_numpy(labels)
    for _ in tqdm(range(settings.epochs), desc=f"network {seed}", disable=None, leave=False):
        order = rng.permutation(len(texts))
        for start in starts:
            chosen = order[start : start + settings.batch]
            logits = network(*_flat([texts[i] for i in chosen]))
            loss = functional.cross_entropy(
                logits, targets[chosen], label_smoothing=settings.smoothing
            )
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, 5.0)
            optimizer.step()
            schedule.step()
    network.eval()
    return network


@one_thread()
@torch.no_grad()
def logits(network: Network, texts: Sequence[NDArray[np.int64]]) -> NDArray[np.float32]:
    """Logits [texts, classes] without dropout."""
    parts = [
        network(*_flat(texts[start : start + 256])).numpy() for start in range(0, len(texts), 256)
    ]
    return np.concatenate(parts)


def arrays(network: Network) -> dict[str, NDArray[np.float32]]:
    """The parameters as serving wants them: project, special, kernels, shift, output, bias."""
    size = network.settings.project
    kernels = [
        layer.weight[:, place * size : (place + 1) * size].T
        for width, layer in zip(network.settings.widths, network.convolutions, strict=True)
        for place in range(width)
    ]
    found = {
        "project": network.project.weight.T,
        "special": network.special,
        "kernels": torch.stack(kernels),
        "shift": torch.cat([layer.bias for layer in network.convolutions]),
        "output": network.out.weight.T,
        "bias": network.out.bias,
    }
    return {name: tensor.detach().numpy().copy() for name, tensor in found.items()}
