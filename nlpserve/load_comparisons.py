"""What comparing two load tests says."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from nlpserve.load_results import Facts


class Comparison(StrEnum):
    """Of B with A."""

    NO_REGRESSION = "NO REGRESSION"
    REGRESSION = "REGRESSION"
    NOT_COMPARABLE = "NOT COMPARABLE"  # or too noisy to tell

    @property
    def exit_code(self) -> int:
        """What the command ends with."""
        return list(Comparison).index(self)


class Finding(StrEnum):
    """Of one measure."""

    SAME = "same"  # not worse by the effect that counts, and it could have been seen
    BETTER = "better"  # by at least that effect
    WORSE = "worse"  # by at least that effect
    UNCLEAR = "unclear"  # the runs vary too much to tell


class Change(Facts):
    """One measure of the hold, in both runs."""

    name: str
    """`answered_rate` (requests/s), `failure_ratio` (share), or a percentile such as `p99` (s)."""
    unit: Literal["s", "ratio", "1/s"]
    a: float
    b: float
    worse: float
    """By how much B is worse: a share of A's value, but for failure_ratio the difference."""
    low: float
    """Lower end of the interval of `worse`."""
    high: float
    """Upper end."""
    effect: float = Field(gt=0)
    """Smallest change that counts."""
    finding: Finding


class ComparisonResult(Facts):
    """Two load tests."""

    kind: Literal["load-comparison"] = "load-comparison"
    schema_version: int = 1
    verdict: Comparison
    reasons: list[str]
    run_a: str
    run_b: str
    differences: list[str]
    """What was not the same in target and surroundings; that is what is compared."""
    test: str
    """How it was tested."""
    alpha: float
    """Chance of a false REGRESSION, over all measures, at most."""
    seed: int
    replicates: int
    intervals: int = 0
    """Stretches of the hold that were resampled, of each run."""
    block: int = 0
    """Stretches that stay together."""
    changes: list[Change] = Field(default=[])
