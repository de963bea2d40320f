"""The search against a pod that is a formula, so that the right answer is known."""

import statistics

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from loadtest.calibrate import LENGTHS, Form
from loadtest.calibration.search import Invalid, SearchPlan, bound, search
from loadtest.generator.calibration import PAUSE_SECONDS


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(most=st.floats(30, 5_000), start=st.floats(1, 2_000), seconds=st.floats(5, 40))
def test_it_finds_the_knee_from_wherever_it_begins(  # noqa: PLR0917
    formula, follow, objective, most, start, seconds
):
    pod = formula(most)
    plan = SearchPlan(objective=objective, start_rate=start, seconds=seconds)
    found = follow(search(plan), pod)
    # A bracket is 6 % wide, and a load of few requests cannot tell 99 % from 98.5 %.
    assert found.mean == pytest.approx(pod.knee, rel=0.09)
    assert found.capacity <= found.mean
    assert found.points[-1].meets(objective)
    if found.check.rate > 1.09 * pod.knee:  # the bound may lie far below the mean
        assert not found.check.meets(objective)
    assert found.saturation == pytest.approx(most, rel=0.09)
    assert len(pod.asked) <= 60


def test_noise_lowers_the_bound_and_not_the_mean(formula, follow, objective):
    plan = SearchPlan(objective=objective, start_rate=50, seconds=20, repeats=5)
    means, bounds = [], []
    for seed in range(30):
        pod = formula(400, noise=0.03, seed=seed)
        try:
            found = follow(search(plan), pod)
        except Invalid:
            continue  # the objective failed at 0.95: it says so and writes nothing
        means.append(found.mean)
        bounds.append(found.capacity)
    assert len(means) > 20
    assert statistics.fmean(means) == pytest.approx(formula(400).knee, rel=0.05)
    assert statistics.fmean(bounds) < statistics.fmean(means)


def test_twice_agrees_within_a_tenth(formula, follow, objective):
    plan = SearchPlan(objective=objective, start_rate=20, seconds=20, repeats=3)
    first, second = (
        follow(search(plan), formula(300, noise=0.005, seed=seed)).capacity for seed in (3, 4)
    )
    assert first == pytest.approx(second, rel=0.1)


def test_the_quick_form_takes_less_than_four_minutes(formula, follow, objective):
    pod = formula(220)
    follow(search(SearchPlan(objective=objective, **LENGTHS[Form.QUICK])), pod)
    # With the pause after each, the start of both pods and the warm-up.
    assert sum(wish.seconds + PAUSE_SECONDS for wish in pod.asked) + 30 < 240


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ({"sent": 1}, "1 of .* requests were sent"),
        ({"generator_cpu": 0.95}, "generator used 0.95"),
        ({"lag": 0.2}, "late by 0.200 s"),
        ({"wrong": 3}, "3 answers were wrong"),
    ],
)
def test_a_load_that_cannot_be_believed_is_tried_again_and_then_ends_it(
    formula, follow, objective, spoil, said
):
    pod = formula(300)
    pod.spoil = spoil
    with pytest.raises(Invalid, match=said):
        follow(search(SearchPlan(objective=objective)), pod)
    assert len(pod.asked) == 3


def test_a_pod_that_never_meets_the_objective_has_no_capacity(formula, follow, objective):
    pod = formula(300)
    pod.spoil = {"in_time": 0}
    with pytest.raises(Invalid, match="knee is not between"):
        follow(search(SearchPlan(objective=objective)), pod)


def test_the_bound_is_students(objective):
    mean, lower = bound([100, 104, 96])
    assert mean == 100
    assert lower == pytest.approx(100 - 2.920 * 4 / 3**0.5)
    with pytest.raises(Invalid, match="too far apart"):
        bound([100, 30, 170])
