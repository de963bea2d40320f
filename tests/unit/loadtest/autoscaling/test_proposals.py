"""The documented rules of the replica calculation, and that they hold for any pods."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.autoscaling import proposals
from loadtest.autoscaling.proposals import PodState, Reading, Tolerances
from nlpserve.autoscaling import ClusterTiming

TIMING = ClusterTiming()
TENTH = Tolerances(0.1, 0.1)
NOW = 1_000.0
OLD = {"pending": False, "ready": True, "started": 0.0, "ready_changed": 5.0}
usages = st.lists(st.integers(0, 4_000), min_size=1, max_size=12)
targets = st.integers(1, 2_000)


def counted(milli):
    return PodState(**OLD, reading=Reading(milli, NOW, 15))


MISSING = PodState(**OLD, reading=None)
PENDING = PodState(pending=True, ready=False, started=None, ready_changed=None, reading=None)
ENDING = PodState(**OLD, reading=Reading(9_999, NOW, 15), ending=True)


def wish(pods, current, target, tolerances=TENTH):
    return proposals.average(pods, current, target, tolerances, now=NOW, timing=TIMING)


@given(usages, targets)
def test_desired_is_current_times_metric_over_target_rounded_up(values, target):
    ratio = sum(values) // len(values) / target
    found = wish([counted(value) for value in values], len(values), target)
    if 0.9 <= ratio <= 1.1:
        assert found == len(values)
    else:
        assert found == math.ceil(ratio * len(values))


@pytest.mark.parametrize(
    ("milli", "desired"), [(109, 4), (110, 4), (111, 5), (90, 4), (89, 4), (74, 3), (200, 8)]
)
def test_a_tenth_above_or_below_the_target_is_close_enough(milli, desired):
    assert wish([counted(milli)] * 4, 4, 100) == desired


@given(usages, targets, st.integers(0, 6), st.integers(0, 6), st.integers(0, 3))
def test_pods_without_a_metric_dampen_and_never_turn_the_direction(
    values, target, missing, pending, ending
):
    known = [counted(value) for value in values]
    unknown = [MISSING] * missing + [PENDING] * pending
    current = len(known) + len(unknown)
    found = wish(known + unknown + [ENDING] * ending, current, target)
    ratio = sum(values) // len(values) / target
    if ratio > 1:
        assert found >= current or not (missing or pending)
        assert found <= max(current, math.ceil(ratio * current))
    elif ratio < 1 and missing:
        assert found <= current
        # Each of them counts as exactly at the target, but for the rounding to thousandths.
        assert found >= min(current, missing) - math.ceil(current / target)


def test_on_the_way_up_pods_that_are_not_ready_count_as_idle():
    assert wish([counted(300)], 3, 100) == 3
    assert wish([counted(300), PENDING, PENDING], 3, 100) == 3
    assert wish([counted(900), PENDING, PENDING], 3, 100) == 9


def test_on_the_way_down_pods_that_are_not_ready_do_not_count():
    assert wish([counted(20), counted(20), PENDING], 3, 100) == 1


def test_one_object_stands_for_many_pods():
    many = PodState(**OLD, reading=Reading(300, NOW, 15), count=5)
    assert wish([many], 5, 100) == wish([counted(300)] * 5, 5, 100) == 15


def test_without_any_metric_there_is_no_wish():
    assert wish([MISSING, PENDING, ENDING], 2, 100) is None


def pod(started, ready, changed, measured):
    reading = Reading(900, measured, 15)
    return PodState(
        pending=False, ready=ready, started=started, ready_changed=changed, reading=reading
    )


@pytest.mark.parametrize(
    ("young", "counts"),
    [
        (pod(NOW - 60, True, NOW - 50, NOW - 30), True),
        (pod(NOW - 60, True, NOW - 20, NOW - 10), False),  # the window began before it was ready
        (pod(NOW - 60, False, NOW - 50, NOW), False),  # not ready within the initialisation
        (pod(NOW - 400, False, NOW - 390, NOW), False),  # has never been ready
        (pod(NOW - 400, False, NOW - 20, NOW), True),  # was ready once
    ],
)
def test_cpu_of_a_start_does_not_count(young, counts):
    found = wish([young, counted(100)], 2, 100)
    assert found == (10 if counts else 2)


@given(st.integers(0, 100_000), st.integers(1, 5_000), st.integers(1, 50))
def test_an_external_total_is_shared_by_so_many_pods_that_each_has_the_target(
    milli, target, current
):
    found = proposals.total(milli, target, current, TENTH)
    ratio = milli / (target * current)
    assert found == (current if 0.9 <= ratio <= 1.1 else math.ceil(milli / target))


@pytest.mark.parametrize(
    ("wishes", "found"),
    [([3, 5], 5), ([None, 5], 5), ([None, 3], None), ([None, 4], 4), ([None, None], None)],
)
def test_the_largest_wish_counts_and_a_missing_metric_lets_nothing_go_down(wishes, found):
    assert proposals.largest(wishes, 4) == found
