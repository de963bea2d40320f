import math
from collections import Counter

import numpy as np
import pytest

from benchmarks.serving.client import LoadResult
from benchmarks.serving.measure import _Seen, level_of, percentiles, plan_of, window_of
from benchmarks.serving.results import RawRate


def load(latencies, seconds=2.0, server_cpu=0.5, **more):
    return LoadResult(
        seconds=seconds,
        settle_seconds=0.1,
        latencies=np.array(latencies, dtype=float),
        samples=[],
        statuses=Counter({200: len(latencies)}),
        failures=more.get("failures", []),
        reconnects=0,
        client_cpu=0.1,
        server_cpu=server_cpu,
    )


def rate(docs, direct=1.0):
    return RawRate(docs_per_s=docs, docs_per_cpu_s=docs, engine_docs_per_s=docs, direct_ms=direct)


def test_percentiles_are_exact_and_in_milliseconds():
    found = percentiles(np.arange(1001) / 1000)
    assert (found.count, found.p50, found.p90, found.p99) == (1001, 500.0, 900.0, 990.0)
    assert (found.p99_9, found.max) == (999.0, 1000.0)


def test_percentiles_of_one_latency_and_of_none():
    assert percentiles(np.array([0.002])).p99_9 == pytest.approx(2.0)
    assert percentiles(np.array([])).model_dump() == dict.fromkeys(
        ("p50", "p90", "p99", "p99_9", "max"), 0.0
    ) | {"count": 0}


def test_a_window_is_set_against_the_mean_of_the_measurements_around_it():
    window = window_of(load([0.003] * 100), rate(60, 1.0), rate(40, 2.0))
    assert window.requests_per_s == 50
    assert window.ratio == pytest.approx(1.0)
    assert window.cpu_ratio == pytest.approx(2.0)  # on half of the core
    assert window.added_ms == pytest.approx(1.5)


def test_an_unknown_cpu_time_stays_unknown():
    window = window_of(load([0.003], server_cpu=math.nan), rate(1), rate(1))
    assert window.cpu_ratio is None
    assert window.server_cpu is None


def test_a_window_without_answers_is_as_slow_as_it_is_long():
    window = window_of(load([], seconds=3.0), rate(1), rate(1))
    assert window.ratio == 0
    assert window.p50_ms == pytest.approx(3000)


def test_a_level_takes_medians_and_pools_latencies():
    loads = [load([0.001] * 10), load([0.002] * 30, failures=["x", "x"]), load([0.009] * 20)]
    windows = [window_of(one, rate(10), rate(10)) for one in loads]
    level = level_of(8, _Seen(windows, loads))
    assert level.requests_per_s == 10
    assert level.ratio == pytest.approx(1.0)
    assert level.latency_ms.count == 60
    assert level.latency_ms.p50 == pytest.approx(2.0)
    assert level.statuses == {200: 60}
    assert (level.failures, level.failure_reasons) == (2, ["x"])


def test_quick_is_quicker():
    quick, full = plan_of(2000, 1, quick=True), plan_of(2000, 1, quick=False)
    assert quick.window_seconds < full.window_seconds
    assert quick.repeats < full.repeats
