"""What the rates of a shape are so many of. Pure."""

from enum import StrEnum

from loadtest.calibration.derived import target_rate
from nlpserve.autoscaling import Calibration


class Unit(StrEnum):
    """A shape in `targets` asks for the same number of pods on a fast machine and on a slow one."""

    REQUESTS = "requests"
    """A second."""
    PODS = "pods"
    """One pod's capacity."""
    TARGETS = "targets"
    """What brings one pod to the CPU target that its calibration wrote."""

    def of(self, facts: Calibration) -> float:
        """Requests a second."""
        if self is Unit.REQUESTS:
            return 1
        return facts.capacity if self is Unit.PODS else target_rate(facts)
