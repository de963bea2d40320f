"""What a calibration is told, and what its generator says."""

from typing import Annotated

import orjson
from pydantic import Field, StringConstraints

from loadtest.calibration.knee_search import SearchPlan
from loadtest.calibration.search import Found
from loadtest.spec import Strict
from nlpserve.load_results import Facts

MOST_TEXT_BYTES = 90_000
"""The spec travels in one environment variable, and Linux takes 128 KiB for one."""
MOST_TEXTS = 10_000
MOST_PODS = 50
MOST_BATCH = 4_096
"""As in the service's settings."""


class CalibrationLoad(Strict):
    """What the generator in the pod does."""

    urls: tuple[Annotated[str, StringConstraints(pattern=r"^http://[^/?#@]+$")], ...] = Field(
        min_length=1, max_length=MOST_PODS
    )
    """The pinned pods."""
    model: str
    search: SearchPlan
    texts: tuple[str, ...] = Field(default=(), max_length=MOST_TEXTS)
    """The user's own; none: made-up sentences of the model's language."""
    made_up: int = Field(default=200, ge=1, le=10_000)
    """How many of these."""
    warm_seconds: float = Field(default=4, gt=0, le=600)
    """Load before the search, at its first rate."""
    timeout_seconds: float = Field(default=10, gt=0, le=300)
    """Longest time from a request's begin to the whole answer."""
    wait_seconds: float = Field(default=90, gt=0, le=600)
    """Longest time until the pod answers."""


class Searched(Facts):
    """The generator's last word."""

    model_version: str
    language: str
    texts: int
    found: Found | None = None
    """None: see `invalid`."""
    invalid: str = ""
    idle_cpu: float = 0.0
    """Cores of a pod without any request."""
    memory_bytes: float = 0.0
    """Resident, of a pod at the end."""


def fitting(texts: list[str]) -> list[str]:
    """As many as the spec has room for, evenly from the whole file; none that is too long alone."""
    sizes = [len(orjson.dumps(text)) + 1 for text in texts]
    kept = [text for text, size in zip(texts, sizes, strict=True) if size <= MOST_TEXT_BYTES]
    sizes = [size for size in sizes if size <= MOST_TEXT_BYTES]
    stride = 1
    while sum(sizes[::stride]) > MOST_TEXT_BYTES or len(kept[::stride]) > MOST_TEXTS:
        stride += 1
    return kept[::stride]
