"""What a load test is told, checked before anything starts."""

import re
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from nlpserve import __version__
from nlpserve.load_results import Disruption

LOAD_IMAGE: Final = f"localhost/nlpserve-load:{__version__}"
MIN_TAIL_SECONDS: Final = 3.0
"""The load goes on for at least so long before and after a disruption."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$")]


class SpecError(Exception):
    """A load test cannot be run as it was asked for; one line for each thing that is wrong."""


class Strict(BaseModel):
    """Base of all specs: nothing unknown, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class LoadSpec(Strict):
    """What the generator in the pod does."""

    url: Annotated[str, StringConstraints(pattern=r"^http://[^/?#@]+$")]
    """Where the target is, without a path."""
    model: str
    requests: int = Field(ge=2, le=10_000_000)
    """Half of them on kept connections, half on a new one each."""
    rate: float = Field(gt=0, le=5_000)
    """Requests that begin each second."""
    clients: int = Field(default=64, ge=2, le=1_000)
    """Half of them keep their connections. When all wait for answers, requests begin late."""
    timeout_seconds: float = Field(default=10, gt=0, le=300)
    """Longest time from the begin of a request to the whole answer."""
    texts: int = Field(default=48, ge=1, le=10_000)
    """Distinct texts; the right answer to each is asked for before the load."""
    wait_seconds: float = Field(default=60, gt=0, le=600)
    """Longest time until the target has answered each text once."""

    @property
    def seconds(self) -> float:
        """How long the load lasts when every request begins in time."""
        return self.requests / self.rate


class RolloutSpec(Strict):
    """What `python -m loadtest rollout` does."""

    model: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]
    namespace: Name
    """The target's."""
    release: str | None = None
    """Helm release; needed when there are several of one model in the namespace."""
    load_namespace: Name
    """Where the load's Job runs; it must be there."""
    requests: int = Field(ge=2, le=10_000_000)
    """For each disruption and repeat."""
    seconds: float = Field(default=100, ge=4 * MIN_TAIL_SECONDS, le=7_200)
    """How long they take; the disruption must be over by then."""
    repeat: int = Field(default=1, ge=1, le=100)
    disruptions: tuple[Disruption, ...] = Field(default=tuple(Disruption), min_length=1)
    scale_from: int = Field(default=3, ge=2, le=100)
    """Pods before a scale-down."""
    clients: int = Field(default=64, ge=2, le=1_000)
    timeout_seconds: float = Field(default=10, gt=0, le=300)
    image: str = LOAD_IMAGE
    pull_secrets: tuple[Name, ...] = ()
    """Names of Secrets of the load's namespace."""
    settle_seconds: float = Field(default=300, gt=0, le=3_600)
    """Longest wait for the target to be whole before each load."""

    def load(self, url: str) -> LoadSpec:
        """What each of its Jobs does."""
        return LoadSpec(
            url=url,
            model=self.model,
            requests=self.requests,
            rate=self.requests / self.seconds,
            clients=self.clients,
            timeout_seconds=self.timeout_seconds,
        )


def explain(error: ValidationError) -> SpecError:
    """Pydantic's words as one line for each field, named as the options are."""
    lines = []
    for entry in error.errors():
        where = re.sub("_", "-", str(entry["loc"][0])) if entry["loc"] else "the spec"
        lines.append(f"{where}: {entry['msg'][0].lower()}{entry['msg'][1:]} ({entry['input']!r})")
    return SpecError("\n".join(lines))
