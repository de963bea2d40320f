import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from nlpserve.load_results import Verdict
from nlpserve.load_scenarios import ClosedLoad, OpenLoad, Scenario
from nlpserve.load_shapes import Profile, Shape
from nlpserve.load_tests import LoadTestResult

OPEN = {
    "name": "a",
    "target": {"model": "intent"},
    "load": {"model": "open", "shape": 5, "seconds": 9},
}
SHAPES = {
    "steady": {"level": 4},
    "ramp": {"start": 2, "end": 6},
    "step": {"levels": [1, 2, 3]},
    "spike": {"base": 1, "peak": 9, "begins": 4, "lasts": 2},
    "wave": {"low": 1, "high": 3, "period_seconds": 10},
    "replay": {"levels": [1, 5], "step_seconds": 2, "factor": 3},
}


def profile(kind, *, ramp=0, seconds=10, **more):
    return Profile(shape={"kind": kind, **SHAPES[kind], **more}, ramp_seconds=ramp, seconds=seconds)


@pytest.mark.parametrize(
    ("kind", "levels"),
    [
        ("steady", {0: 4, 9.9: 4}),
        ("ramp", {0: 2, 5: 4, 9.999: 5.9996}),
        ("step", {0: 1, 3.4: 2, 9.99: 3}),
        ("spike", {0: 1, 3.99: 1, 4: 9, 5.99: 9, 6: 1}),
        ("wave", {0: 1, 2.5: 2, 5: 3, 7.5: 2}),
        ("replay", {0: 3, 2: 15, 4: 3, 7: 15}),
    ],
)
def test_each_shape_has_its_levels(kind, levels):
    found = profile(kind)
    assert {second: found.at(second) for second in levels} == pytest.approx(levels)
    assert (found.at(-0.1), found.at(10)) == (0, 0)


@pytest.mark.parametrize("kind", SHAPES)
def test_the_rise_goes_straight_to_the_first_level(kind):
    risen, plain = profile(kind, ramp=4), profile(kind)
    first = plain.at(0)
    assert [risen.at(second) for second in (0, 1, 2)] == pytest.approx([0, first / 4, first / 2])
    assert [risen.at(4 + second) for second in range(10)] == [plain.at(s) for s in range(10)]
    assert risen.end == 14


@given(st.sampled_from(list(SHAPES)), st.floats(0, 30), st.floats(0.5, 60), st.floats(-5, 100))
def test_a_level_is_never_negative_nor_above_the_highest_of_its_kind(kind, ramp, seconds, at):
    found = profile(kind, ramp=ramp, seconds=seconds)
    assert 0 <= found.at(at) <= 15


def test_a_number_is_short_for_steady():
    assert TypeAdapter(Shape).validate_python(7) == TypeAdapter(Shape).validate_python(
        {"kind": "steady", "level": 7}
    )


THINK = {"least": 0, "most": 1}


def load(**given):
    return {"load": {"model": "closed", "shape": 1, "seconds": 9, **given}}


@pytest.mark.parametrize(
    "change",
    [
        load(shape=0),
        load(model="half"),
        load(model="open", think_seconds=THINK),
        load(think_seconds={"least": 2, "most": 1}),
        load(every_seconds=1, think_seconds=THINK),
        {"objectives": {"latency": {"p97": 1}}},
        {"surprise": 1},
        {"name": "No Name"},
    ],
)
def test_what_is_wrong_is_refused(change):
    with pytest.raises(ValidationError):
        Scenario.model_validate(OPEN | change)


def test_the_load_is_of_the_kind_that_its_model_says():
    assert isinstance(Scenario.model_validate(OPEN).load, OpenLoad)
    closed = OPEN | {"load": {**OPEN["load"], "model": "closed"}}
    assert isinstance(Scenario.model_validate(closed).load, ClosedLoad)


def test_a_result_survives_json():
    result = LoadTestResult(
        version="1", commit="c", run="r", started="2026-01-01T00:00:00+00:00", seconds=1,
        verdict=Verdict.INVALID, scenario=Scenario.model_validate(OPEN), load_image="i",
    )  # fmt: skip
    assert LoadTestResult.model_validate_json(result.model_dump_json()) == result


@pytest.mark.parametrize(
    "shape",
    [
        3,
        {"kind": "ramp", "start": 1, "end": 4},
        {"kind": "step", "levels": [1, 2, 3]},
        {"kind": "spike", "base": 1, "peak": 4, "begins": 3, "lasts": 2},
        {"kind": "wave", "low": 1, "high": 3, "period_seconds": 4},
        {"kind": "replay", "levels": [1, 5, 2], "factor": 2},
    ],
)
def test_every_shape_can_be_so_many_times_as_high(shape):
    load = Profile.model_validate({"shape": shape, "seconds": 9, "ramp_seconds": 1})
    higher = load.times(2.5)
    assert higher.end == load.end
    for second in range(10):
        assert higher.at(second) == pytest.approx(2.5 * load.at(second))
