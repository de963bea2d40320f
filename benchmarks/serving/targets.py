"""The promises that this benchmark holds the service to. Pure: results in, targets out."""

from typing import Final, Literal

from benchmarks.serving.results import Level, ModelResult, Target

LOADED: Final = 64
ALONE: Final = 1
RATIO: Final = {"intent": 0.80, "emotion": 0.90}
"""HTTP at LOADED connections, by the raw pipeline in batches. The emotion model works longer on
each text, so that HTTP costs it a smaller share."""
ADDED_MS: Final = 1.0
"""A lone client's median latency, above the direct call's."""


def judge(result: ModelResult) -> list[Target]:
    """All targets of one model. Raises KeyError for a model or level that has none."""
    levels = {level.connections: level for level in result.levels}
    name = result.model
    every = result.levels
    return [
        _target(
            name,
            f"HTTP at {LOADED} connections, by the raw pipeline",
            levels[LOADED].ratio,
            ("at least", RATIO[name], ""),
        ),
        _target(
            name,
            f"median latency at {ALONE} connection, above the direct call",
            levels[ALONE].added_ms,
            ("at most", ADDED_MS, "ms"),
        ),
        _target(name, "answers other than 200", _other_statuses(every), ("at most", 0, "")),
        _target(
            name,
            "requests without an answer",
            sum(level.failures for level in every),
            ("at most", 0, ""),
        ),
        _target(
            name,
            "answers unlike the raw pipeline's",
            result.answers.mismatches,
            ("at most", 0, ""),
        ),
        _target(
            name, "distinct texts answered", result.answers.distinct_texts, ("at least", 1_000, "")
        ),
    ]


def _target(
    model: str,
    name: str,
    value: float,
    bound: tuple[Literal["at least", "at most"], float, str],
) -> Target:
    relation, limit, unit = bound
    passed = value >= limit if relation == "at least" else value <= limit
    return Target(
        model=model,
        name=name,
        value=value,
        relation=relation,
        bound=limit,
        unit=unit,
        passed=passed,
    )


def _other_statuses(levels: list[Level]) -> int:
    return sum(
        count for level in levels for status, count in level.statuses.items() if status != 200
    )
