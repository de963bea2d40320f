"""A load that follows a traffic shape: what its generator is told, and what it says."""

from typing import Annotated

from pydantic import Field, StringConstraints

from loadtest.calibration.spec import MOST_TEXTS
from loadtest.spec import Strict
from nlpserve.load_results import Facts
from nlpserve.load_shapes import Profile

SECOND = "second "
"""Begins a line of the log with one second's counts, as JSON."""


class ShapedLoad(Strict):
    """What the generator in the pod does."""

    url: Annotated[str, StringConstraints(pattern=r"^http://[^/?#@]+$")]
    model: str
    load: Profile
    """Requests a second, one text each."""
    objective_seconds: float = Field(gt=0, le=60)
    texts: tuple[str, ...] = Field(default=(), max_length=MOST_TEXTS)
    """The user's own; none: made-up sentences of the model's language."""
    made_up: int = Field(default=200, ge=1, le=10_000)
    timeout_seconds: float = Field(default=10, gt=0, le=300)
    wait_seconds: float = Field(default=90, gt=0, le=600)
    connection_seconds: float = Field(default=5, gt=0, le=600)
    """A connection is replaced at this age, so that new pods get their share."""


class ShapedResult(Facts):
    """The generator's last word."""

    began: float
    """When second 0 was, in seconds since 1970 by the node's clock."""
    seconds: int
    """Lines that it has written."""
    sent: int
    late_seconds: float
    """That a request began after it was due, 99th percentile."""
    cpu: float
    """Cores that it used."""
