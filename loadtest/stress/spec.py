"""What a stress run is told, and what it leaves."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from loadtest.spec import Strict

WEB_HOST: Final = "127.0.0.1"
MOST_USERS: Final = 28_000
"""Linux has 28,232 ports towards one address; every user keeps one."""


class Route(StrEnum):
    """What is sent."""

    EMOTION = "emotion"  # POST / with an English comment
    INTENT = "intent"  # GET /api/intent with a French sentence


class StressSpec(Strict):
    """What `python -m loadtest stress` does."""

    host: Annotated[str, StringConstraints(pattern=r"^https?://[^/?#@\s]+$")]
    """Where the target is, without a path."""
    user_count: int = Field(ge=1, le=MOST_USERS)
    spawn_rate: float = Field(gt=0, le=10_000)
    """Users that begin each second."""
    length: float = Field(gt=0, le=86_400)
    """Seconds from the first user to the end."""
    route: Route
    out: Path
    web_port: int = Field(ge=1, le=65_535)
    timeout: float = Field(gt=0, le=600)
    """Seconds that a user waits for an answer."""


STATISTICS_FILE: Final = "_stats.csv"
HISTORY_FILE: Final = "_stats_history.csv"
FAILURES_FILE: Final = "_failures.csv"
