"""What the cost of drift is written as."""

from pydantic import BaseModel

from benchmarks.serving.results import MachineFacts


class ModelCost(BaseModel):
    """Microseconds of CPU a text, and drift's share of the model's time in each case."""

    model: str
    full_batch_us: float
    lone_us: float
    sampled_us: float
    share_under_full_load: float
    share_when_each_is_sampled: float
    share_of_rare_batches: float
    """Full batches so seldom that each of their texts is sampled."""


class DriftCost(BaseModel):
    """What is written."""

    commit: str
    machine: MachineFacts
    load_average: float | None
    documents_per_second: int
    rounds: int
    models: list[ModelCost]

    def most_of_a_core(self, cost: ModelCost) -> float:
        """What drift of a model can take of a core, whatever its traffic.

        The dearer of the two: all that may be sampled is counted, or the model never rests and each
        text is offered.
        """
        sampled = self.documents_per_second * cost.sampled_us / 1e6
        return max(sampled, cost.share_under_full_load)
