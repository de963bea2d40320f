"""One model measured: direct and over HTTP by turns, so that a slow minute slows both."""

import math
import statistics
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.serving.calls import EMOTION, INTENT, REQUESTS, AnswerChecker, request_bytes
from benchmarks.serving.client import LoadPlan, LoadResult, run_load
from benchmarks.serving.processes import cpu_seconds
from benchmarks.serving.raw import BATCH_SIZE, RawModel, RawPlan
from benchmarks.serving.results import (
    Ceiling,
    Level,
    ModelResult,
    Percentiles,
    Pinning,
    RawRate,
    Window,
)
from benchmarks.serving.server import HOST, running, service, trivial
from nlpserve.sentences import sentences

CONNECTIONS: Final = (1, 8, 64, 256)
LANGUAGES: Final[Mapping[str, Literal["fr", "en"]]] = {INTENT: "fr", EMOTION: "en"}
REASONS: Final = 5

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """Counts and seconds of a run."""

    repeats: int
    warm_up_seconds: float
    window_seconds: float
    raw: RawPlan
    texts: int
    seed: int


def plan_of(texts: int, seed: int, *, quick: bool) -> Plan:
    """The plan behind --quick, and the one without."""
    if quick:
        return Plan(3, 1.0, 3.0, RawPlan(1.5, 200), texts, seed)
    return Plan(5, 2.0, 8.0, RawPlan(4.0, 500), texts, seed)


@dataclass(slots=True)
class _Seen:
    """What all windows of one number of connections saw."""

    windows: list[Window] = field(default_factory=list)
    loads: list[LoadResult] = field(default_factory=list)


def measure_model(
    name: str,
    folder: Path,
    *,
    plan: Plan,
    pinning: Pinning,
    settings: Mapping[str, str],
    out: Path,
    say: Say,
) -> ModelResult:
    """Raises RawError and ServerError."""
    texts = sentences(LANGUAGES[name], plan.texts, plan.seed)
    command = service(f"{name}={folder.resolve()}", settings, out / f"server-{name}.log")
    core = pinning.server_core
    with RawModel(folder, texts, plan.raw, core) as raw:
        expected = raw.answers()  # before the server starts: a broken artifact is named at once
        checker = AnswerChecker(name, expected.labels, expected.scores)
        with running(command, core) as server:
            say(f"{name}: ready after {server.ready_seconds:.1f} s")
            requests = [request_bytes(name, text, HOST, server.port) for text in texts]
            seen = {connections: _Seen() for connections in CONNECTIONS}
            rates = [raw.measure()]
            first = 0
            for repeat, connections in product(range(1, plan.repeats + 1), CONNECTIONS):
                load_plan = LoadPlan(connections, plan.warm_up_seconds, plan.window_seconds, first)
                load = run_load(
                    (HOST, server.port), requests, load_plan, partial(cpu_seconds, server.pid)
                )
                first += len(load.samples)
                rates.append(raw.measure())
                checker.check(
                    (sample.request, sample.body) for sample in load.samples if sample.status == 200
                )
                window = window_of(load, rates[-2], rates[-1])
                seen[connections].windows.append(window)
                seen[connections].loads.append(replace(load, samples=[]))  # else all bodies stay
                say(_line(name, f"{repeat}/{plan.repeats}", connections, window))
    return ModelResult(
        model=name,
        version=expected.version,
        sha256=expected.sha256,
        kind=expected.kind,
        request=REQUESTS[name],
        texts=len(texts),
        batch_size=BATCH_SIZE,
        ready_seconds=server.ready_seconds,
        raw_docs_per_s=statistics.median(rate.docs_per_s for rate in rates),
        engine_docs_per_s=statistics.median(rate.engine_docs_per_s for rate in rates),
        direct_ms=statistics.median(rate.direct_ms for rate in rates),
        batch_effect=expected.batch_effect,
        levels=[level_of(connections, found) for connections, found in seen.items()],
        answers=checker.result(),
    )


def measure_ceiling(plan: Plan, pinning: Pinning, out: Path) -> list[Ceiling]:
    """The client against the application that does nothing. Raises ServerError."""
    ceilings = []
    with running(trivial(out / "server-trivial.log"), pinning.server_core) as server:
        texts = sentences(LANGUAGES[INTENT], plan.texts, plan.seed)
        requests = [request_bytes(INTENT, text, HOST, server.port) for text in texts]
        cpu = partial(cpu_seconds, server.pid)
        for connections in CONNECTIONS:
            load = run_load((HOST, server.port), requests, LoadPlan(connections, 0.5, 1.5), cpu)
            ceilings.append(
                Ceiling(
                    connections=connections,
                    requests_per_s=load.requests_per_s,
                    p50_ms=_median_ms(load),
                    client_cpu=load.client_cpu,
                )
            )
    return ceilings


def percentiles(latencies: NDArray[np.float64]) -> Percentiles:
    """Exact percentiles in milliseconds of latencies in seconds; zeros where there are none."""
    values = latencies * 1000 if len(latencies) else np.zeros(1)
    p50, p90, p99, p99_9 = (float(value) for value in np.quantile(values, (0.5, 0.9, 0.99, 0.999)))
    return Percentiles(
        count=len(latencies), p50=p50, p90=p90, p99=p99, p99_9=p99_9, max=float(values.max())
    )


def window_of(load: LoadResult, before: RawRate, after: RawRate) -> Window:
    median = _median_ms(load)
    return Window(
        requests_per_s=load.requests_per_s,
        p50_ms=median,
        raw_before=before,
        raw_after=after,
        ratio=load.requests_per_s * 2 / (before.docs_per_s + after.docs_per_s),
        cpu_ratio=_known(
            load.requests_per_s
            / max(load.server_cpu, 1e-9)
            * 2
            / (before.docs_per_cpu_s + after.docs_per_cpu_s)
        ),
        added_ms=median - (before.direct_ms + after.direct_ms) / 2,
        settle_seconds=load.settle_seconds,
        client_cpu=load.client_cpu,
        server_cpu=_known(load.server_cpu),
    )


def level_of(connections: int, seen: _Seen) -> Level:
    statuses: Counter[int] = Counter()
    for load in seen.loads:
        statuses += load.statuses
    known = [window.cpu_ratio for window in seen.windows if window.cpu_ratio is not None]
    failures = [reason for load in seen.loads for reason in load.failures]
    return Level(
        connections=connections,
        requests_per_s=statistics.median(window.requests_per_s for window in seen.windows),
        ratio=statistics.median(window.ratio for window in seen.windows),
        cpu_ratio=statistics.median(known) if known else None,
        added_ms=statistics.median(window.added_ms for window in seen.windows),
        latency_ms=percentiles(np.concatenate([load.latencies for load in seen.loads])),
        statuses=dict(statuses),
        failures=len(failures),
        failure_reasons=sorted(set(failures))[:REASONS],
        reconnects=sum(load.reconnects for load in seen.loads),
        windows=seen.windows,
    )


def _median_ms(load: LoadResult) -> float:
    """Milliseconds; where nothing was answered, at least as long as the window."""
    if not len(load.latencies):
        return load.seconds * 1000
    return float(np.median(load.latencies)) * 1000


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _line(name: str, repeat: str, connections: int, window: Window) -> str:
    return (
        f"{name} {repeat}, {connections:>3} connections: "
        f"{window.requests_per_s:>7.0f} req/s, {window.ratio:.3f} of raw, "
        f"p50 {window.p50_ms:.2f} ms, {window.added_ms:+.2f} ms on the direct call, "
        f"client at {window.client_cpu:.0%}"
    )
