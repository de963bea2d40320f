"""How the two halves are weighed: fitted on out-of-fold scores, so that it calibrates as well."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from bento.train.calibration import softmax

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

BLEND = "blend.json"
PULL = 1e-3
"""Pull of the label biases towards zero: the smallest label has about a hundred texts."""


@dataclass(frozen=True, slots=True)
class Blend:
    """logits = linear * linear scores + network * mean network logits + bias [labels]."""

    linear: float
    network: float
    bias: F32

    def logits(self, linear: F32, network: F32) -> F32:
        """Scores of the two halves, [texts, labels] each, to logits."""
        return self.linear * linear + self.network * network + self.bias

    def write(self, folder: Path) -> None:
        """Write it to the folder as blend.json."""
        found = {"linear": self.linear, "network": self.network, "bias": self.bias.tolist()}
        (folder / BLEND).write_text(json.dumps(found) + "\n", encoding="utf-8")


def read(folder: Path) -> Blend:
    """What `Blend.write` wrote."""
    found = json.loads((folder / BLEND).read_text(encoding="utf-8"))
    bias = np.array(found["bias"], np.float32)
    return Blend(float(found["linear"]), float(found["network"]), bias)


def fit(linear: F32, network: F32, labels: NDArray[np.int64]) -> Blend:
    """Minimise the log loss over the two weights and the biases (L-BFGS).

    With both weights free no temperature is left to fit: it would only scale them.
    """
    rows = np.arange(len(labels))
    hot = np.zeros(linear.shape)
    hot[rows, labels] = 1

    def loss(point: F64) -> tuple[float, F64]:
        shares = softmax(point[0] * linear + point[1] * network + point[2:])
        error = (shares - hot) / len(labels)
        slope = np.concatenate(
            [[(error * linear).sum(), (error * network).sum()], error.sum(0) + 2 * PULL * point[2:]]
        )
        value = -np.log(np.maximum(shares[rows, labels], 1e-12)).mean()
        return float(value + PULL * (point[2:] ** 2).sum()), slope

    start = np.concatenate([[1.0, 1.0], np.zeros(linear.shape[1])])
    found = minimize(loss, start, jac=True, method="L-BFGS-B").x
    return Blend(float(found[0]), float(found[1]), found[2:].astype(np.float32))
