"""The search against a pod that is a formula, so that the right answer is known."""

import itertools
import random
import statistics

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from loadtest.calibrate_spec import LENGTHS, Form
from loadtest.calibration.knee_search import SearchPlan
from loadtest.calibration.knees import Invalid, bound
from loadtest.calibration.search import search
from loadtest.calibration.trials import Trial
from loadtest.generator import answers
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


def test_twice_agrees_within_a_tenth(queue, follow, objective):
    """On a machine on which the same pod holds more or less by 6 % from one load to the next."""
    plan = SearchPlan(objective=objective, **LENGTHS[Form.QUICK])
    capacities = []
    for seed in range(24):
        chance = random.Random(seed)
        try:
            found = follow(
                search(plan), lambda wish, c=chance: queue(100 * (1 + 0.06 * c.gauss(0, 1)))(wish)
            )
        except Invalid:
            continue  # says so and writes nothing
        capacities.append(found.capacity)
    assert len(capacities) >= 20
    agree = [
        first == pytest.approx(second, rel=0.1)
        for first, second in itertools.combinations(capacities, 2)
    ]
    assert sum(agree) > 0.95 * len(agree)
    assert statistics.fmean(capacities) == pytest.approx(100, rel=0.04)


def test_the_quick_form_takes_less_than_four_minutes(formula, follow, objective):
    plan = SearchPlan(objective=objective, **LENGTHS[Form.QUICK])
    knees = []
    for seed in range(40):
        pod = formula(220, noise=0.03, seed=seed)
        knees.append(len(follow(search(plan), pod).knees))
        # With the pause after each, the start of both pods and the warm-up.
        assert sum(wish.seconds + PAUSE_SECONDS for wish in pod.asked) + 30 < 240
    assert min(knees) == 5


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


@pytest.mark.parametrize("seconds", [2, 4, 30])
def test_a_queue_that_grows_is_no_capacity_however_short_the_load(
    queue, follow, objective, seconds
):
    """In a load of 4 s nothing is later than 0.5 s at 1.12 times what the pod answers."""
    plan = SearchPlan(objective=objective, seconds=seconds, point_seconds=seconds)
    found = follow(search(plan), queue(100))
    assert 90 <= found.capacity <= found.saturation <= 101
    assert found.points[-1].holds(objective)
    assert not found.check.holds(objective)


def test_a_capacity_that_the_pod_never_answers_is_a_contradiction(formula, follow, objective):
    pod = formula(100)
    pod.spoil = {"answered_rate": 60}
    with pytest.raises(Invalid, match=r"answered only 60\.0 a second"):
        follow(search(SearchPlan(objective=objective)), pod)


def test_a_capacity_slightly_above_what_the_pod_answers_is_cut(formula, follow, objective):
    pod = formula(100)
    pod.spoil = {"answered_rate": 85}
    found = follow(search(SearchPlan(objective=objective, resolution=0.02)), pod)
    assert found.capacity == found.saturation == 85 < found.mean
    assert found.points[-1].rate == pytest.approx(0.95 * 85, abs=0.001)


def test_an_objective_that_holds_at_the_check_makes_it_invalid(formula, follow, objective):
    slow, fast = formula(100), formula(200)
    plan = SearchPlan(objective=objective, seconds=6, point_seconds=8)
    with pytest.raises(Invalid, match=r"still held at 1\.15"):
        follow(search(plan), lambda wish: (fast if wish.seconds == 8 else slow)(wish))
    assert len(fast.asked) == 3  # at 1.5, and twice at 1.15


@pytest.mark.parametrize("lasting", [0.95, 0.98])
def test_what_a_pod_holds_only_for_seconds_is_lowered_once(formula, follow, objective, lasting):
    """A load of a minute meets what one of a few seconds does not."""
    plan = SearchPlan(objective=objective, **LENGTHS[Form.QUICK])
    short, long = formula(100), formula(100 * lasting * 0.95)
    found = follow(search(plan), lambda wish: (long if wish.seconds == 15 else short)(wish))
    capacity = bound(found.knees)[1]
    assert found.capacity == pytest.approx(0.95 * capacity, rel=0.01)
    assert found.points[-1].holds(objective)
    assert found.points[-1].rate == pytest.approx(0.95 * found.capacity, abs=0.001)
    assert found.check.rate == pytest.approx(1.15 * found.capacity, abs=0.001)


def test_what_a_pod_holds_for_far_shorter_than_a_load_is_no_capacity(formula, follow, objective):
    plan = SearchPlan(objective=objective, **LENGTHS[Form.QUICK])
    short, long = formula(100), formula(70)
    with pytest.raises(Invalid, match="failed at 95% of"):
        follow(search(plan), lambda wish: (long if wish.seconds == 15 else short)(wish))
    assert len(long.asked) == 4


def test_a_single_bad_moment_at_the_points_is_looked_at_again(formula, follow, objective):
    pod = formula(100)

    def once_bad(wish):
        trial = pod(wish)
        sampled = [each for each in pod.asked if each.sample_seconds]
        if wish.sample_seconds and len(sampled) == 1:  # at 0.95, the first time
            return trial.model_copy(update={"in_time": 0})
        return trial

    found = follow(search(SearchPlan(objective=objective)), once_bad)
    assert len(found.points) == 5
    assert sum(bool(wish.sample_seconds) for wish in pod.asked) == 6


def test_knees_too_far_apart_are_looked_for_again(formula, follow, objective):
    plan = SearchPlan(objective=objective, start_rate=50, seconds=20, repeats=3, more=2)
    counts = []
    for seed in range(30):
        try:
            found = follow(search(plan), formula(400, noise=0.12, seed=seed))
        except Invalid:
            continue
        counts.append(len(found.knees))
        assert found.mean <= 1.1 * found.capacity / 0.95  # it may be lowered once
    assert max(counts) > 3


@pytest.mark.parametrize(("meant", "late"), [(30, 0), (70, 1), (100, 1), (300, 3), (170, 2)])
def test_few_requests_are_judged_as_many_are(objective, meant, late):
    facts = {
        "rate": 1, "seconds": 1, "meant": meant, "sent": meant, "answered": meant,
        "mean_seconds": 0, "share_seconds": 0, "answered_rate": 1, "open": 0, "cpu": 0,
        "generator_cpu": 0, "lag": 0,
    }  # fmt: skip
    assert Trial(in_time=meant - late, **facts).meets(objective)
    assert not Trial(in_time=meant - late - 1, **facts).meets(objective)


def test_a_narrow_failure_counts_when_it_comes_twice_and_a_clear_one_at_once(
    queue, follow, objective
):
    """A bad moment of the machine must not send the search below the knee."""
    asked, disturbed = [], []

    def pod(wish):
        asked.append(wish.rate)
        trial = queue(100)(wish)
        if trial.holds(objective) and wish.rate not in disturbed and not wish.sample_seconds:
            disturbed.append(wish.rate)
            return trial.model_copy(update={"growth": 5 / wish.seconds})
        return trial

    plan = SearchPlan(objective=objective, start_rate=50)
    found = follow(search(plan), pod)
    assert found.mean == pytest.approx(100, rel=0.08)
    assert disturbed
    assert asked.count(128) == 1  # 28 % more than it can answer: clear


def test_texts_in_a_row_are_about_as_long_as_all():
    texts = answers.texts("en", 200)
    order = answers.mixed(texts)
    assert sorted(order) == sorted(texts)
    mean = statistics.fmean(map(len, texts))

    def furthest(row):
        """From all's mean, of twenty in a row."""
        means = [statistics.fmean(map(len, row[n : n + 20])) for n in range(len(row) - 20)]
        return max(abs(each / mean - 1) for each in means)

    assert furthest(order) < 0.15 < furthest(texts)
