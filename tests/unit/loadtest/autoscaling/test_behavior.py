"""The documented behaviour: bounds, windows, policies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.autoscaling.behavior import Decisions
from nlpserve.autoscaling import Autoscaler, Behavior, Policy, ScalingRules

policy = st.builds(
    lambda **words: Policy(**words),  # noqa: PLW0108  of the class itself it knows the aliases alone
    type=st.sampled_from(["Pods", "Percent"]),
    value=st.integers(1, 200),
    period_seconds=st.integers(1, 120),
)
directions = st.builds(
    lambda **words: ScalingRules(**words),  # noqa: PLW0108
    stabilization_window_seconds=st.integers(0, 120),
    policies=st.lists(policy, min_size=1, max_size=3).map(tuple),
    select_policy=st.sampled_from(["Max", "Min", "Disabled"]),
)
autoscalers = st.builds(
    lambda up, down, fewest, more: Autoscaler(
        mode="cpu", cpu_target=1, min_replicas=fewest, max_replicas=fewest + more,
        behavior=Behavior(scale_up=up, scale_down=down),
    ),
    directions, directions, st.integers(1, 5), st.integers(0, 40),
)  # fmt: skip
wishes = st.lists(st.one_of(st.none(), st.integers(0, 100)), min_size=1, max_size=30)


def follow(settings, wanted, begin, period=15.0):
    """Time, number before, wish and decision of each turn."""
    decisions, current, found = Decisions(settings), begin, []
    for turn, wish in enumerate(wanted):
        after = decisions.decide(turn * period, current, wish)
        found.append((turn * period, current, wish, after))
        current = after
    return found


@given(autoscalers, wishes, st.integers(1, 60))
def test_it_never_leaves_its_bounds(settings, wanted, begin):
    for _, _, _, after in follow(settings, wanted, begin):
        assert settings.min_replicas <= after <= settings.max_replicas


@given(autoscalers, wishes, st.integers(1, 60))
def test_it_goes_nowhere_that_nobody_wished(settings, wanted, begin):
    for _, before, wish, after in follow(settings, wanted, begin):
        if settings.min_replicas <= before <= settings.max_replicas:
            if wish is None:
                assert after == before
            elif wish >= before:
                assert before <= after <= wish
            else:
                assert wish <= after <= before or after == settings.min_replicas


@given(autoscalers, wishes, st.integers(1, 60))
def test_windows_take_the_lowest_wish_on_the_way_up_and_the_highest_on_the_way_down(
    settings, wanted, begin
):
    turns = follow(settings, wanted, begin)
    for now, before, _, after in turns:
        if not settings.min_replicas <= before <= settings.max_replicas:
            continue
        up, down = settings.behavior.scale_up, settings.behavior.scale_down
        seen = [(then, wish) for then, *_, wish, _ in turns if then <= now and wish is not None]
        if after > before:
            window = up.stabilization_window_seconds
            recent = [wish for then, wish in seen if then > now - window]
            assert after <= min(recent, default=after)
        if after < before:
            window = down.stabilization_window_seconds
            recent = [wish for then, wish in seen if then > now - window]
            assert after >= min(max(recent, default=0), before)


@given(
    st.integers(1, 20),
    st.integers(5, 120),
    st.lists(st.integers(1, 60), min_size=1, max_size=30),
    st.booleans(),
)
def test_no_more_pods_come_or_go_in_a_period_than_a_pods_policy_allows(value, period, wanted, up):
    policy = Policy(type="Pods", value=value, period_seconds=period)
    pace = ScalingRules(stabilization_window_seconds=0, policies=(policy,))
    settings = Autoscaler(
        mode="cpu", cpu_target=1, max_replicas=60, behavior=Behavior(scale_up=pace, scale_down=pace)
    )
    # In one direction: a change back gives the other direction its room again.
    turns = follow(settings, sorted(wanted, reverse=not up), 1 if up else 60, period=5.0)
    for now, *_ in turns:
        inside = [(before, after) for then, before, _, after in turns if now - period < then <= now]
        assert abs(sum(after - before for before, after in inside)) <= value


def test_the_documentations_example_of_a_slow_way_down(settings, rules):
    """Ten percent or four pods a minute, whichever is more: 80, 72, 64, … and by four below 40."""
    slow = rules(0, ("Pods", 4, 60), ("Percent", 10, 60))
    found = follow(settings(down=slow, max_replicas=100), [10] * 14, 80, period=60)
    assert [after for *_, after in found][:10] == [72, 64, 57, 51, 45, 40, 36, 32, 28, 24]


def test_min_takes_the_policy_that_changes_least(settings, rules):
    slow = rules(0, ("Pods", 4, 60), ("Percent", 10, 60), select="Min")
    found = follow(settings(down=slow, max_replicas=100), [10] * 3, 80, period=60)
    assert [after for *_, after in found] == [76, 72, 68]


def test_disabled_lets_nothing_go(settings, rules):
    never = rules(0, ("Percent", 100, 15), select="Disabled")
    found = follow(settings(down=never), [1, 1], 5)
    assert [after for *_, after in found] == [5, 5]


def test_the_charts_pace_up_doubles_each_quarter_of_a_minute(settings, rules):
    found = follow(settings(up=rules(0, ("Percent", 100, 15))), [9] * 4, 1)
    assert [after for *_, after in found] == [2, 4, 8, 9]


def test_a_window_keeps_a_short_drop_from_taking_pods(settings, rules):
    found = follow(settings(down=rules(60, ("Percent", 100, 15))), [6, 6, 1, 6, 1, 1, 1, 1, 1], 6)
    assert [after for *_, after in found] == [6, 6, 6, 6, 6, 6, 6, 1, 1]


@pytest.mark.parametrize(("begin", "bound"), [(50, 10), (1, 3)])
def test_bounds_that_were_moved_are_followed_at_once_even_without_a_metric(
    settings, rules, begin, bound
):
    strict = settings(min_replicas=3, up=rules(600, ("Pods", 1, 60)))
    assert Decisions(strict).decide(0, begin, None) == bound


def test_a_change_is_forgotten_when_its_own_direction_no_longer_looks_back_to_it(settings, rules):
    """As the controller: a newer change takes the place of one that its policies do not reach."""
    up = rules(0, ("Pods", 2, 15))
    down = rules(0, ("Pods", 4, 600))
    found = follow(settings(up=up, down=down, max_replicas=20), [9, 9, 9, 9, 1, 1], 1, period=20)
    # 2, 2, 2 and 2 pods came; of all four the way down would know that it began with one pod, and
    # from the last alone it knows seven: four less than those are three.
    assert [after for *_, after in found] == [3, 5, 7, 9, 3, 3]
