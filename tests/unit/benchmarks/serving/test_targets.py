import pytest
from pydantic import ValidationError

from benchmarks.serving.report import markdown, target_line
from benchmarks.serving.results import BenchResult
from benchmarks.serving.targets import judge


def percentiles():
    return {"count": 9, "p50": 1.0, "p90": 2.0, "p99": 3.0, "p99_9": 4.0, "max": 5.0}


def level(connections, *, ratio=0.95, added_ms=0.5, statuses=None, failures=0):
    rate = {
        "docs_per_s": 100.0,
        "docs_per_cpu_s": 110.0,
        "engine_docs_per_s": 120.0,
        "direct_ms": 0.4,
    }
    window = {
        "requests_per_s": 90.0, "p50_ms": 1.0, "raw_before": rate, "raw_after": rate,
        "ratio": ratio, "cpu_ratio": None, "added_ms": added_ms, "client_cpu": 0.1,
        "server_cpu": None, "settle_seconds": 0.1,
    }  # fmt: skip
    return {
        "connections": connections, "requests_per_s": 90.0, "ratio": ratio, "cpu_ratio": None,
        "added_ms": added_ms, "latency_ms": percentiles(), "statuses": statuses or {200: 500},
        "failures": failures, "failure_reasons": ["connection lost"][:failures],
        "reconnects": 0, "windows": [window],
    }  # fmt: skip


def bench(model="intent", *, alone=None, loaded=None, mismatches=0, texts=1_000):
    levels = [
        level(1, **(alone or {})), level(8), level(64, **(loaded or {})), level(256),
    ]  # fmt: skip
    found = {
        "model": model, "version": "1.0.0", "sha256": "0" * 64, "kind": "spacy",
        "request": "GET /", "texts": 2000, "batch_size": 64, "ready_seconds": 1.0,
        "raw_docs_per_s": 100.0, "engine_docs_per_s": 120.0, "direct_ms": 0.4,
        "batch_effect": {"texts": 200, "largest_difference": 0.0, "label_changes": 0},
        "levels": levels,
        "answers": {
            "checked": 2000, "distinct_texts": texts, "mismatches": mismatches, "near_ties": 0,
            "largest_difference": None, "examples": [],
        },
    }  # fmt: skip
    result = BenchResult.model_validate(
        {
            "commit": "abc", "started": "2000-01-01T00:00:00+00:00", "seconds": 1.0,
            "quick": True, "seed": 1, "settings": {"max_batch_size": "32"},
            "machine": {
                "cpu": "a CPU", "cores": 2, "system": "Linux", "kernel": "6", "python": "3.11",
                "architecture": "x86_64", "packages": {"numpy": "2"},
            },
            "pinning": {"note": "Pinned."}, "load_average_before": None,
            "load_average_after": 1.5,
            "ceilings": [
                {"connections": 64, "requests_per_s": 9e3, "p50_ms": 1.0, "client_cpu": 0.2}
            ],
            "models": [found], "targets": [],
        }
    )  # fmt: skip
    return result.model_copy(update={"targets": judge(result.models[0])})


def missed(result):
    return [target.name for target in result.targets if not target.passed]


@pytest.mark.parametrize(
    ("model", "ratio", "passes"),
    [
        ("intent", 0.80, True), ("intent", 0.7999, False), ("intent", 1.1, True),
        ("emotion", 0.90, True), ("emotion", 0.8999, False), ("emotion", 0.85, False),
    ],
)  # fmt: skip
def test_the_ratio_at_64_connections(model, ratio, passes):
    names = missed(bench(model, loaded={"ratio": ratio}))
    assert names == ([] if passes else ["HTTP at 64 connections, by the raw pipeline"])


@pytest.mark.parametrize(("added", "passes"), [(1.0, True), (1.0001, False), (-0.2, True)])
def test_the_latency_of_a_lone_client(added, passes):
    assert (missed(bench(alone={"added_ms": added})) == []) == passes


def test_only_the_level_that_a_target_names_counts():
    assert missed(bench(alone={"ratio": 0.1}, loaded={"added_ms": 60.0})) == []


def test_anything_but_200_and_any_failure_is_a_miss():
    statuses = {200: 400, 503: 3}
    assert missed(bench(loaded={"statuses": statuses})) == ["answers other than 200"]
    assert missed(bench(alone={"failures": 1})) == ["requests without an answer"]
    assert missed(bench(mismatches=1)) == ["answers unlike the raw pipeline's"]
    assert missed(bench(texts=999)) == ["distinct texts answered"]


def test_the_result_passes_when_every_target_does():
    assert bench().passed
    assert not bench(mismatches=1).passed


def test_a_line_gives_number_and_bound():
    result = bench(alone={"added_ms": 1.25}, loaded={"ratio": 0.8})
    lines = [target_line(target) for target in result.targets]
    assert lines[0] == (
        "pass  intent: HTTP at 64 connections, by the raw pipeline: 0.800 (at least 0.8)"
    )
    assert lines[1] == (
        "MISS  intent: median latency at 1 connection, above the direct call: 1.250 ms"
        " (at most 1 ms)"
    )
    assert lines[2] == "pass  intent: answers other than 200: 0 (at most 0)"


def test_the_page_shows_targets_levels_and_ceiling():
    page = markdown(bench(alone={"failures": 1}))
    assert "| intent | requests without an answer | 1 | at most 0 | **miss** |" in page
    assert "| 64 | 90 | 0.950 |" in page
    assert "| 64 | 9000 | 1.00 | 20% |" in page
    assert "1 connections: connection lost" in page
    assert "Load average before unknown, after 1.50" in page
    assert "max_batch_size=32" in page


def test_the_result_survives_json_and_takes_no_unknown_field():
    result = bench()
    assert BenchResult.model_validate_json(result.model_dump_json()) == result
    with pytest.raises(ValidationError):
        BenchResult.model_validate(result.model_dump() | {"more": 1})
