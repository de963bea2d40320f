import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from facts import CLOSED, OPEN, measured, pod, result, scenario, timeline, worker

from loadtest.coordinator.assemble import judged
from nlpserve.load_results import LOSSES, Counts, Outcome, Verdict
from nlpserve.load_tests import Reason, ReasonCode, Second

Code = ReasonCode


def verdict(*reasons, **given):
    found = judged(result(**given), list(reasons))
    return found.verdict, [reason.code for reason in found.reasons]


@pytest.mark.parametrize("load", [OPEN, CLOSED])
def test_nothing_wrong_passes(load):
    assert verdict(load=load) == (Verdict.PASS, [])


@pytest.mark.parametrize(
    ("code", "given_facts"),
    [
        (Code.WORKER_CPU, {"workers": [worker(), worker(index=1, cpu_share=0.91)]}),
        (Code.WORKER_THROTTLED, {"workers": [worker(throttled_periods=11)]}),
        (Code.WORKER_LAG, {"workers": [worker(lag_p99=0.11)]}),
        (Code.PORTS, {"workers": [worker(ports_most=901)]}),
        (Code.DESCRIPTORS, {"workers": [worker(descriptors_most=901)]}),
        (Code.PODS_CHANGED, {"pods": [pod("a", 500), pod("b", 500, restarts=1)]}),
        (Code.PODS_CHANGED, {"pods": [pod("a", 500), pod("b", 500, first_second=3)]}),
        (Code.PODS_CHANGED, {"pods": [pod("a", 500), pod("b", 500, last_second=3)]}),
        (Code.SKEWED, {"pods": [pod("a", 760), pod("b", 240)]}),
        (Code.COUNTS_DISAGREE, {"pods": [pod("a", 500), pod("b", 499)]}),
        (Code.COUNTS_DISAGREE, {"pods": [pod("a", 500), pod("b", 501)]}),
        (Code.COUNTS_DISAGREE, {"pods": [pod("a", 500), pod("b", 500, foreign=1)]}),
        (Code.COUNTS_DISAGREE, {"hold": measured(answered=1000, sent=1001)}),
        (Code.COUNTS_MISSING, {"pods": [pod("a", 500), pod("b", 500, after=None)]}),
        (Code.RATE_MISSED, {"load": OPEN | {"shape": 22}}),
        (Code.RATE_MISSED, {"load": CLOSED | {"shape": 22}, "timeline": timeline(22)}),
        (Code.USERS_MISSED, {"load": CLOSED, "timeline": timeline(19)}),
        (Code.SPARED, {"hold": measured(), "pods": []}),
    ],
)
def test_each_reason_makes_it_invalid(code, given_facts):
    found, codes = verdict(**given_facts)
    assert found is Verdict.INVALID
    assert code in codes


@pytest.mark.parametrize("code", [Code.NOT_RUN, Code.UNREACHABLE, Code.WORKER_LOST])
def test_what_the_run_itself_says_makes_it_invalid(code):
    assert verdict(Reason(code=code, text="why")) == (Verdict.INVALID, [code])
    assert verdict(Reason(code=code, text="why"), workers=[])[0] is Verdict.INVALID


@pytest.mark.parametrize("expected", ["rollout", "scaling"])
def test_expected_pods_may_come_and_go_but_not_restart(expected):
    more = {"given_scenario": {"expected": [expected]}}
    new = pod("b", 500, first_second=3, before={}, after={"200": 500})
    old = pod("c", 100, last_second=9, source="log")
    assert verdict(pods=[pod("a", 400), new, old], **more)[0] is Verdict.PASS
    assert verdict(pods=[pod("a", 400, restarts=1), new, old], **more)[1] == [Code.PODS_CHANGED]


def test_few_requests_show_no_skew():
    few = {"load": OPEN | {"shape": 2}, "hold": measured(answered=100)}
    assert verdict(pods=[pod("a", 90), pod("b", 10)], **few)[0] is Verdict.PASS


@pytest.mark.parametrize("outcome", LOSSES)
def test_one_request_without_the_right_answer_fails(outcome):
    status = {"shed": {503: 1}, "status": {500: 1}, "wrong": {200: 1}}.get(outcome, {})
    statuses = {200: 999}
    for code, number in status.items():
        statuses[code] = statuses.get(code, 0) + number
    hold = measured(answered=999, statuses=statuses, **{outcome: 1})
    after = {str(code): number for code, number in statuses.items()}
    pods = [pod("a", 0, before={}, after=after)]
    assert verdict(hold=hold, pods=pods) == (Verdict.FAIL, [Code.OBJECTIVE])
    allowed = {"given_scenario": {"objectives": {"failure_ratio": 0.001}}}
    assert verdict(hold=hold, pods=pods, **allowed) == (Verdict.PASS, [])


@pytest.mark.parametrize(
    ("objectives", "met"),
    [
        ({"latency": {"p50": 0.2}}, True),
        ({"latency": {"p99.9": 0.0999}}, False),
        ({"answered_rate": 20}, True),
        ({"answered_rate": 20.1}, False),
    ],
)
def test_objectives(objectives, met):
    found, _ = verdict(given_scenario={"objectives": objectives})
    assert found is (Verdict.PASS if met else Verdict.FAIL)


def test_answers_that_come_after_the_hold_are_no_throughput():
    late = timeline()
    for second in late:
        second.answered = 14
    late.append(Second(second=50, intended=0, answered=300))
    wanted = {"objectives": {"answered_rate": 15}}
    assert verdict(timeline=late, given_scenario=wanted) == (Verdict.FAIL, [Code.OBJECTIVE])


WAVE = {"kind": "wave", "low": 200, "high": 2000, "period_seconds": 50}
SHAPES = {
    "wave": WAVE,
    "ramp": {"kind": "ramp", "start": 10, "end": 400},
    "levels": {"kind": "replay", "levels": [124, 20, 80], "factor": 0.1},
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_users_that_follow_a_shape_are_enough_and_those_that_do_not_are_too_few(shape):
    load = {"model": "closed", "shape": shape, "seconds": 50}
    profile = scenario(load).load
    there = [
        Second(second=s, intended=0, users=round(profile.at(s + 0.99)), answered=20)
        for s in range(50)
    ]
    assert verdict(load=load, timeline=there) == (Verdict.PASS, [])
    there[25].users = round(0.9 * there[25].users) - 1
    assert verdict(load=load, timeline=there)[1] == [Code.USERS_MISSED]
    assert verdict(load=load, timeline=timeline(1))[1] == [Code.USERS_MISSED]


def test_a_failure_in_the_rise_is_a_failure():
    load = OPEN | {"ramp_seconds": 5}
    rise = measured(seconds=5, answered=9, shed=1, statuses={200: 9, 503: 1})
    pods = [pod("a", 0, before={}, after={"200": 1009, "503": 1})]
    assert verdict(load=load, rise=rise, pods=pods) == (Verdict.FAIL, [Code.OBJECTIVE])


def test_a_request_that_broke_off_may_have_been_counted_or_not():
    hold = measured(answered=999, timed_out=1)
    for counted in (499, 500):
        found = judged(result(hold=hold, pods=[pod("a", 500), pod("b", counted)]), [])
        assert found.verdict is Verdict.FAIL
        assert (found.agreement.missing, found.agreement.foreign) == (0, 0)


outcomes = st.dictionaries(st.sampled_from(list(Outcome)), st.integers(0, 400))


pod_counts = st.tuples(st.integers(0, 600), st.integers(0, 600), st.integers(0, 3))


@given(outcomes, pod_counts, st.integers(-2, 2), st.floats(0, 2), st.sampled_from([OPEN, CLOSED]))
def test_pass_means_that_all_was_answered_and_counted(numbers, pods, miscounted, cpu, load):
    first, second, foreign = pods
    counts = {str(outcome): number for outcome, number in numbers.items()}
    statuses = {200: numbers.get(Outcome.ANSWERED, 0) + numbers.get(Outcome.WRONG, 0)}
    statuses[503] = numbers.get(Outcome.SHED, 0)
    statuses[500] = numbers.get(Outcome.STATUS, 0)
    sent = max(0, sum(counts.values()) + miscounted)
    found = judged(
        result(
            load, hold=measured(statuses=statuses, **(counts | {"sent": sent})),
            pods=[pod("a", first), pod("b", second, foreign=foreign)],
            workers=[worker(cpu_share=cpu)],
        ),
        [],
    )  # fmt: skip
    lost = sum(number for outcome, number in numbers.items() if outcome is not Outcome.ANSWERED)
    if found.verdict is Verdict.PASS:
        assert lost == foreign == 0
        assert first + second == sent == numbers[Outcome.ANSWERED]
        assert cpu <= 0.9
        assert found.reasons == []
    else:
        assert found.reasons
    if found.verdict is Verdict.FAIL:
        assert lost > 0
        assert {reason.code for reason in found.reasons} == {Code.OBJECTIVE}


def test_the_numbers_of_the_hold():
    found = judged(result(CLOSED), []).achieved
    assert (found.intended_requests, found.sent, found.answered_rate) == (1000, 1000, 20)
    assert (found.intended_users, found.least_user_share) == (20, 1)
    assert judged(result(workers=[]), []).achieved is None
    assert Counts().sent == 0
