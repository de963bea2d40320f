"""The shape of result.json. Latencies are in milliseconds, rates in texts or requests a second."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Pinning(_Facts):
    """Which core ran what; None where the system cannot pin."""

    server_core: int | None = None
    client_core: int | None = None
    note: str


class MachineFacts(_Facts):
    """Where the numbers were measured."""

    cpu: str
    cores: int
    system: str
    kernel: str
    architecture: str
    python: str
    packages: dict[str, str]


class Percentiles(_Facts):
    """Exact percentiles of `count` latencies, all of which were kept."""

    count: int
    p50: float
    p90: float
    p99: float
    p99_9: float
    max: float


class RawRate(_Facts):
    """The model called directly, once: between two HTTP windows."""

    docs_per_s: float = Field(description="In batches, in the order given.")
    docs_per_cpu_s: float = Field(description="The same by CPU time.")
    engine_docs_per_s: float = Field(description="The engine as served, which may be faster.")
    direct_ms: float = Field(description="Median of calls with one text.")


class Window(_Facts):
    """One HTTP window, with the direct measurements just before and just after it."""

    requests_per_s: float
    p50_ms: float
    raw_before: RawRate
    raw_after: RawRate
    ratio: float = Field(description="Requests a second by the mean direct texts a second.")
    cpu_ratio: float | None = Field(
        description="The same ratio by CPU time: what it would be on a core without other work."
    )
    added_ms: float = Field(description="Median latency less the mean direct call's.")
    settle_seconds: float = Field(
        description="From the first connection until each had an answer; the window comes after."
    )
    client_cpu: float = Field(description="Share of its core that the client used.")
    server_cpu: float | None = Field(description="Share of its core that the server got.")


class Level(_Facts):
    """One number of connections, over all repeats."""

    connections: int
    requests_per_s: float = Field(description="Median over the windows.")
    ratio: float = Field(description="Median over the windows.")
    cpu_ratio: float | None = Field(description="Median over the windows.")
    added_ms: float = Field(description="Median over the windows.")
    latency_ms: Percentiles
    statuses: dict[int, int]
    failures: int = Field(description="Requests without a readable answer.")
    failure_reasons: list[str] = Field(description="The first few.")
    reconnects: int
    windows: list[Window]


class AnswerCheck(_Facts):
    """Every answer with status 200 against the direct call's answer to the same text."""

    checked: int
    distinct_texts: int
    mismatches: int
    near_ties: int = Field(description="Allowed: the two best labels were as good as equal.")
    largest_difference: float | None = Field(description="Of scores, where the route sends them.")
    examples: list[str] = Field(description="The first few mismatches.")


class BatchEffect(_Facts):
    """How far the model's own answers depend on the batch that a text is in: 0 is best."""

    texts: int
    largest_difference: float
    label_changes: int


class ModelResult(_Facts):
    """One model, raw and served."""

    model: str
    version: str
    sha256: str
    kind: str
    request: str
    texts: int
    batch_size: int
    ready_seconds: float = Field(description="From the start of the server to ready.")
    raw_docs_per_s: float = Field(
        description="Median of the direct measurements: spaCy's pipe, or the ONNX session."
    )
    engine_docs_per_s: float = Field(description="Median of all of the engine as served.")
    direct_ms: float = Field(description="Median of all direct measurements.")
    batch_effect: BatchEffect
    levels: list[Level]
    answers: AnswerCheck


class Ceiling(_Facts):
    """What the client alone reaches, against an ASGI application that does nothing."""

    connections: int
    requests_per_s: float
    p50_ms: float
    client_cpu: float


class Target(_Facts):
    """A number and its bound."""

    model: str
    name: str
    value: float
    relation: Literal["at least", "at most"]
    bound: float
    unit: str
    passed: bool


class BenchResult(_Facts):
    """One run."""

    schema_version: Literal[1] = 1
    commit: str
    started: str = Field(description="UTC, ISO 8601.")
    seconds: float
    quick: bool
    seed: int
    settings: dict[str, str] = Field(description="Settings given to the server beside the model.")
    machine: MachineFacts
    pinning: Pinning
    load_average_before: float | None
    load_average_after: float | None
    ceilings: list[Ceiling]
    models: list[ModelResult]
    targets: list[Target]

    @property
    def passed(self) -> bool:
        """Whether every target was met."""
        return all(target.passed for target in self.targets)
