import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from loadtest.cli import app
from loadtest.compare import bootstrap, measures, simulation
from loadtest.compare.judge import Limits, compare
from loadtest.compare.samples import MOST_INTERVALS, Samples
from loadtest.compare.simulation import WORLDS, World
from nlpserve.latency import COARSE, Histogram
from nlpserve.load_comparisons import Comparison, ComparisonResult, Finding
from nlpserve.load_results import Verdict
from tests.unit.loadtest.sample_result import make_result

QUICK = Limits(replicates=400)


@pytest.fixture(scope="module")
def runs():
    return {
        "old": make_result(open_model=True, seed=1),
        "same": make_result(open_model=True, seed=2),
        "slow": make_result(open_model=True, seed=3, slower=1.3),
    }


@settings(max_examples=30)
@given(st.integers(1, 200), st.integers(1, 60), st.integers(0, 2**32))
def test_every_resample_is_as_long_as_the_run_and_fair(number, block, seed):
    drawn = bootstrap.weights(number, min(block, number), 20, np.random.default_rng(seed))
    assert drawn.shape == (20, number)
    assert (drawn.sum(axis=1) == number).all()
    assert (drawn >= 0).all()
    assert (drawn == np.rint(drawn)).all()


def test_every_second_is_drawn_as_often_as_any_other():
    drawn = bootstrap.weights(50, 7, 20_000, np.random.default_rng(1))
    assert drawn.mean(axis=0) == pytest.approx(np.ones(50), abs=0.05)


def memory(length, strength, seed=0):
    rng = np.random.default_rng(seed)
    values = [rng.normal()]
    for _ in range(length - 1):
        values.append(strength * values[-1] + rng.normal())
    return np.array(values)


def test_blocks_grow_with_what_a_series_remembers():
    lengths = [bootstrap.block_length(memory(600, strength)) for strength in (0, 0.5, 0.8, 0.95)]
    assert lengths == sorted(lengths)
    assert lengths[0] <= 3
    assert lengths[-1] >= 20


@settings(max_examples=100)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300))
def test_a_block_is_never_longer_than_a_third_of_the_run(values):
    assert 1 <= bootstrap.block_length(np.array(values)) <= max(1, len(values) // 3)


@pytest.mark.parametrize("value", [0.0, 1e9])
def test_a_constant_has_no_memory(value):
    assert bootstrap.block_length(np.full(100, value)) == 1


def test_the_interval_is_as_wide_as_theory_says():
    """The mean of a series with memory s varies 1 / (1 - s) times as much as without."""
    series = memory(3_000, 0.7, seed=5)
    block = bootstrap.block_length(series)
    means = bootstrap.weights(3_000, block, 2_000, np.random.default_rng(2)) @ series / 3_000
    assert means.std() == pytest.approx(1 / (1 - 0.7) / 3_000**0.5, rel=0.25)


@settings(max_examples=60)
@given(
    st.lists(st.floats(1e-6, 100), min_size=1, max_size=200),
    st.sampled_from(measures.PERCENTILES),
)
def test_percentiles_are_those_of_the_histogram_to_a_bucket(latencies, percent):
    histogram = Histogram(bits=COARSE)
    for latency in latencies:
        histogram.record(latency)
    lows = np.array(sorted(histogram.counts), dtype=float)
    highs = np.array([low + (1 << max(0, int(low).bit_length() - COARSE)) for low in lows])
    samples = Samples(
        seconds=1, answered=np.array([len(latencies)], dtype=float), failures=np.zeros(1),
        latencies=np.array([[histogram.counts[int(low)] for low in lows]], dtype=float),
        lows=lows, highs=highs,
    )  # fmt: skip
    (found,) = measures.percentile(percent).value(samples, np.ones((1, 1)))
    exact = histogram.percentile(percent)
    assert found == pytest.approx(exact, rel=0.07, abs=2e-6)


def test_a_run_is_no_regression_of_itself(runs):
    result = compare(runs["old"], runs["old"], QUICK)
    assert result.verdict is Comparison.NO_REGRESSION
    assert {change.worse for change in result.changes} == {0}
    assert result.differences == []


def test_chance_is_no_regression_and_a_third_slower_is_one(runs):
    assert compare(runs["old"], runs["same"], QUICK).verdict is Comparison.NO_REGRESSION
    result = compare(runs["old"], runs["slow"], QUICK)
    assert result.verdict is Comparison.REGRESSION
    found = {change.name: change for change in result.changes}
    assert {found[name].finding for name in ("p50", "p95")} == {Finding.WORSE}
    assert found["p50"].low < 0.3 < found["p50"].high
    assert found["answered_rate"].finding is Finding.SAME
    back = {change.name: change for change in compare(runs["slow"], runs["old"], QUICK).changes}
    assert back["p50"].finding is Finding.BETTER


def test_the_same_seed_says_the_same(runs):
    one, two = (compare(runs["old"], runs["slow"], QUICK) for _ in range(2))
    assert one == two
    other = compare(runs["old"], runs["slow"], QUICK.model_copy(update={"seed": 1}))
    assert other.changes != one.changes


def test_failures_are_a_regression_though_what_is_answered_is_as_fast(runs):
    shed = runs["same"].model_copy(deep=True)
    for second in shed.timeline:
        second.failures = 4
    result = compare(runs["old"], shed, QUICK)
    assert result.verdict is Comparison.REGRESSION
    assert result.reasons == ["worse: failure_ratio"]


def test_what_varies_too_much_is_unclear_and_not_passed(runs):
    wild = runs["same"].model_copy(deep=True)
    for number, second in enumerate(wild.timeline):
        if number % 40 < 4:
            second.latency = Histogram(
                bits=COARSE,
                counts={low * 64: count for low, count in second.latency.counts.items()},
            )
    result = compare(wild, wild.model_copy(update={"run": "b"}), QUICK)
    assert result.verdict is Comparison.NO_REGRESSION  # the same at the same second
    result = compare(runs["old"], wild, QUICK)
    assert result.verdict is not Comparison.NO_REGRESSION


def test_what_cannot_be_compared_is_said(runs):
    old = runs["old"]
    load = old.scenario.load.model_copy(update={"ramp_seconds": 1})
    target = old.scenario.target.model_copy(update={"model": "emotion"})
    cluster = old.cluster.model_copy(update={"nodes": old.cluster.nodes[:1]})
    for other, said in (
        (make_result(verdict=Verdict.INVALID, open_model=True), "B is INVALID: worker 1 used 97 %"),
        (old.model_copy(update={"scenario": old.scenario.model_copy(update={"load": load})}),
         "the scenarios differ in load"),
        (old.model_copy(update={"scenario": old.scenario.model_copy(update={"target": target})}),
         "A loads the model intent, B emotion"),
        (old.model_copy(update={"cluster": cluster}), "the nodes differ"),
    ):  # fmt: skip
        result = compare(old, other, QUICK)
        assert result.verdict is Comparison.NOT_COMPARABLE
        assert any(reason.startswith(said) for reason in result.reasons), result.reasons
        assert result.changes == []


def test_a_hold_that_is_too_short_is_not_compared(runs):
    short = runs["old"].model_copy(update={"timeline": runs["old"].timeline[:25]})
    result = compare(short, short, QUICK)
    assert result.verdict is Comparison.NOT_COMPARABLE
    assert "hold longer" in result.reasons[0]


def test_only_whole_seconds_of_the_hold_count(runs):
    old = runs["old"]
    a, b = Samples.of(old, old)
    assert len(a.answered) == old.scenario.load.seconds
    assert a.answered.sum() == old.hold.counts.answered
    assert a.latencies.sum() == old.hold.counts.answered
    assert len(a.answered) <= MOST_INTERVALS
    assert (a.latencies == b.latencies).all()


def test_differences_of_the_target_are_named(runs):
    other = runs["same"].model_copy(deep=True)
    other.target.values_hash = "new"
    other.commit = "fedcba"
    named = compare(runs["old"], other, QUICK).differences
    assert [line.split(":")[0] for line in named] == ["commit", "chart values"]


@pytest.mark.parametrize("world", WORLDS[:2], ids=lambda world: world.name)
def test_a_false_alarm_is_rare(world):
    found = simulation.verdicts(world, 25, seed=7, replicates=300)
    assert found.count(Comparison.REGRESSION) <= 1


def test_a_false_alarm_is_rare_at_the_edge_too():
    """B is slower by just what does not count yet: the hardest case that is no regression."""
    world = World("edge", 0.6, 0.05, slower=1.1, seconds=200)
    found = simulation.verdicts(world, 40, seed=11, replicates=300)
    assert found.count(Comparison.REGRESSION) <= 2


def test_a_real_regression_is_found():
    world = World("slower", 0.6, 0.05, slower=1.3, seconds=200)
    assert set(simulation.verdicts(world, 8, seed=3, replicates=300)) == {Comparison.REGRESSION}


def test_the_command_says_it_as_text_json_and_exit_code(runs, tmp_path):
    for name, result in runs.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "result.json").write_text(result.model_dump_json())
    out = tmp_path / "made" / "comparison.json"
    for other, code in (("same", 0), ("slow", 1)):
        words = ["compare", str(tmp_path / "old"), str(tmp_path / other), "--out", str(out)]
        done = CliRunner().invoke(app, words)
        assert done.exit_code == code, done.output
        written = ComparisonResult.model_validate_json(out.read_text())
        assert done.output.startswith(f"{written.verdict}: ")
        assert "p99" in done.output
    invalid = make_result(verdict=Verdict.INVALID, open_model=True)
    (tmp_path / "b.json").write_text(invalid.model_dump_json())
    done = CliRunner().invoke(app, ["compare", str(tmp_path / "old"), str(tmp_path / "b.json")])
    assert done.exit_code == 2
    assert done.output.startswith("NOT COMPARABLE")
