"""What `python -m loadtest calibrate` is told to do."""

from enum import StrEnum
from typing import Any, Final

from pydantic import Field

from loadtest.calibration.knee_search import SearchPlan
from loadtest.calibration.spec import MOST_BATCH, MOST_PODS, CalibrationLoad
from loadtest.calibration.trials import Objective
from loadtest.spec import LOAD_IMAGE, Name, Strict


class Form(StrEnum):
    """How thoroughly it is done."""

    QUICK = "quick"
    FULL = "full"


LENGTHS: Final[dict[Form, dict[str, Any]]] = {
    Form.QUICK: {
        "seconds": 4,
        "most_seconds": 5,
        "point_seconds": 5,
        "proof_seconds": 15,
        "repeats": 5,
        "more": 3,
        "resolution": 0.08,
    },
    Form.FULL: {
        "seconds": 30,
        "point_seconds": 40,
        "proof_seconds": 60,
        "repeats": 8,
        "more": 4,
        "resolution": 0.04,
    },
}
LONGEST_SECONDS: Final = {Form.QUICK: 900, Form.FULL: 5_400}
"""After which it has failed, with loads of their usual length."""
LOAD_OBJECTIVES: Final = 6
"""A load lasts so many times the objective at least, or nothing could be late within it."""
TIMEOUT_SECONDS: Final = 10
"""Longest wait of the generator for an answer; twice the objective where that is more."""


class CalibrateSpec(Strict):
    """What `python -m loadtest calibrate` does."""

    model: str
    namespace: Name
    release: str | None = None
    load_namespace: Name
    image: str = LOAD_IMAGE
    form: Form = Form.FULL
    objective_seconds: float = Field(gt=0, le=60)
    objective_share: float = Field(gt=0.5, lt=1)
    start_rate: float = Field(default=20, gt=0.2, le=20_000)
    pods: int = Field(default=1, ge=1, le=MOST_PODS)
    """That are loaded together; all rates are of one."""
    cpu: str | None = None
    """Their limit; else the release's."""
    batch_size: int | None = Field(default=None, ge=1, le=MOST_BATCH)
    """The same for their batches."""
    texts: tuple[str, ...] = ()

    def load(self, addresses: list[str]) -> CalibrationLoad:
        """What the generator is told."""
        objective = Objective(seconds=self.objective_seconds, share=self.objective_share)
        lengths = LENGTHS[self.form] | {
            name: LENGTHS[self.form][name] * self._longer
            for name in ("seconds", "point_seconds", "proof_seconds")
        }
        return CalibrationLoad(
            urls=tuple(addresses),
            model=self.model,
            search=SearchPlan(objective=objective, start_rate=self.start_rate, **lengths),
            texts=self.texts,
            timeout_seconds=max(TIMEOUT_SECONDS, 2 * self.objective_seconds),
        )

    @property
    def _longer(self) -> float:
        usual = float(LENGTHS[self.form]["seconds"])
        return max(1.0, LOAD_OBJECTIVES * self.objective_seconds / usual)

    @property
    def load_seconds(self) -> float:
        """Of each load of the search."""
        return float(LENGTHS[self.form]["seconds"] * self._longer)

    @property
    def longest(self) -> int:
        """Seconds after which it has failed."""
        return round(LONGEST_SECONDS[self.form] * self._longer)
