"""The steps of both shipped models, and where they read and write."""

from collections.abc import Sequence

from bento.train.emotion_steps import emotion_steps
from bento.train.errors import TrainError
from bento.train.intent_steps import intent_steps
from bento.train.places import Places
from bento.train.steps import Step


def pipeline(part: str, places: Places) -> list[Step]:
    """The steps of `intent`, `emotion` or `all`, in the order they run."""
    steps: list[Step] = []
    if part in ("intent", "all"):
        steps += intent_steps(places)
    if part in ("emotion", "all"):
        steps += emotion_steps(places)
    return steps


def choose(steps: Sequence[Step], names: Sequence[str]) -> list[Step]:
    """Those named, in the pipeline's order; all without names. Raises TrainError."""
    known = [step.name for step in steps]
    for name in names:
        if name not in known:
            raise TrainError(f"[--step] there is no step {name}; there are {', '.join(known)}")
    return [step for step in steps if not names or step.name in names]
