"""How users, or arrivals a second, change over time: the shapes of load scenarios. Pure."""

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Level = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class Part(BaseModel):
    """Base of all parts of a scenario: nothing unknown, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Steady(Part):
    """The same all the time. A plain number is short for it."""

    kind: Literal["steady"] = "steady"
    level: Level
    """Users, or arrivals a second."""

    def at(self, second: float, seconds: float) -> float:
        """The level at a second of the duration."""
        return self.level


class Ramp(Part):
    """A straight line over the whole duration."""

    kind: Literal["ramp"]
    start: Level
    """At the begin."""
    end: Level
    """At the end."""

    def at(self, second: float, seconds: float) -> float:
        """The level at a second of the duration."""
        return self.start + (self.end - self.start) * min(1.0, second / seconds)


class Step(Part):
    """Levels one after the other, each for the same share of the duration."""

    kind: Literal["step"]
    levels: list[Level] = Field(min_length=1, max_length=1_000)
    """In their order."""

    def at(self, second: float, seconds: float) -> float:
        """The level at a second of the duration."""
        index = int(second / seconds * len(self.levels))
        return self.levels[min(index, len(self.levels) - 1)]


class Spike(Part):
    """A level that is left once, at once, and come back to at once."""

    kind: Literal["spike"]
    base: Level
    """Before and after."""
    peak: Level
    """Meanwhile."""
    begins: float = Field(ge=0, le=86_400)
    """Second of the duration at which the peak begins."""
    lasts: float = Field(gt=0, le=86_400)
    """Seconds that it lasts."""

    def at(self, second: float, seconds: float) -> float:
        """The level at a second of the duration."""
        return self.peak if self.begins <= second < self.begins + self.lasts else self.base


class Wave(Part):
    """Days in short: a cosine that begins at its lowest."""

    kind: Literal["wave"]
    low: Level
    """At the begin of each period."""
    high: Level
    """In the middle of each period."""
    period_seconds: float = Field(gt=0, le=86_400)
    """Length of a day."""

    def at(self, second: float, seconds: float) -> float:
        """The level at a second of the duration."""
        share = (1 - math.cos(2 * math.pi * second / self.period_seconds)) / 2
        return self.low + (self.high - self.low) * share


class Replay(Part):
    """Recorded levels, such as requests a second of a day; again from the begin when they end."""

    kind: Literal["replay"]
    levels: list[Level] = Field(min_length=1, max_length=100_000)
    """In their order."""
    step_seconds: float = Field(default=1.0, gt=0, le=86_400)
    """How long each lasts."""
    factor: float = Field(default=1.0, gt=0, le=1_000_000)
    """Each level is multiplied by it."""

    def at(self, second: float, seconds: float) -> float:
        """The level at a second of the duration."""
        index = int(second / self.step_seconds) % len(self.levels)
        return self.levels[index] * self.factor


def _number(given: Any) -> Any:  # noqa: ANN401  whatever the file has
    return {"kind": "steady", "level": given} if isinstance(given, int | float) else given


_Kinds = Annotated[Steady | Ramp | Step | Spike | Wave | Replay, Field(discriminator="kind")]
Shape = Annotated[_Kinds, BeforeValidator(_number, json_schema_input_type=float | _Kinds)]


_LEVELS = frozenset({"level", "levels", "start", "end", "base", "peak", "low", "high"})


class Profile(Part):
    """A shape with its duration, after a straight rise from nothing to its first level."""

    shape: Shape
    """How the level changes: users of the closed model, arrivals a second of the open one."""
    ramp_seconds: float = Field(default=0, ge=0, le=86_400)
    """Length of the rise."""
    seconds: float = Field(gt=0, le=86_400)
    """Length of what follows it."""

    @model_validator(mode="after")
    def _loads(self) -> "Profile":
        if self.highest() <= 0:
            raise ValueError("the load is never above 0")
        return self

    @property
    def end(self) -> float:
        """Seconds from the begin of the rise to the end of all."""
        return self.ramp_seconds + self.seconds

    def at(self, second: float) -> float:
        """The level at a second since the begin of the rise; 0 before it and after the end."""
        if not 0 <= second < self.end:
            return 0.0
        if second < self.ramp_seconds:
            return self.shape.at(0.0, self.seconds) * second / self.ramp_seconds
        return self.shape.at(second - self.ramp_seconds, self.seconds)

    def times(self, factor: float) -> "Profile":
        """The same shape with each level so many times as high."""
        shape = self.shape.model_dump()
        for name in _LEVELS & shape.keys():
            level = shape[name]
            higher = [each * factor for each in level] if name == "levels" else level * factor
            shape[name] = higher
        return Profile.model_validate(self.model_dump() | {"shape": shape})

    def holds(self, second: int) -> bool:
        """Whether this whole second lies after the rise and before the end."""
        return self.ramp_seconds <= second and second + 1 <= self.end

    def highest(self) -> float:
        """The largest level of all whole seconds."""
        whole = range(math.ceil(self.seconds))
        return max(self.shape.at(float(second), self.seconds) for second in whole)
