import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.verdicts import judge
from nlpserve.load_results import (
    LOSSES,
    Counts,
    DisruptionFacts,
    LoadFacts,
    Outcome,
    Verdict,
    worst,
)

REQUESTS, RATE, TIMEOUT = 2000, 20.0, 10.0


def load(kept=None, new=None, **given_facts):
    half = REQUESTS // 2
    facts = {
        "model_version": "1",
        "kept": kept or Counts(sent=half, answered=half),
        "new": new or Counts(sent=half, answered=half),
        "seconds": REQUESTS / RATE, "slowest_answer": 0.1, "latest_start": 0.01,
        "longest_lag": 0.01, "connections": 4, "closed_by_answer": 2, "closed_idle": 0,
    }  # fmt: skip
    return LoadFacts(**(facts | given_facts))


def disrupted(**given_facts):
    facts = {
        "sent_before": 100, "sent_after": 900, "lost_before": 0, "seconds": 40,
        "pods_before": 2, "pods_gone": 2, "pods_new": 2,
    }  # fmt: skip
    return DisruptionFacts(**(facts | given_facts))


def verdict(found, disruption, problems=()):
    return judge(
        found, disruption, requests=REQUESTS, rate=RATE, timeout_seconds=TIMEOUT,
        problems=list(problems),
    )  # fmt: skip


def test_nothing_lost_passes():
    assert verdict(load(), disrupted()) == (Verdict.PASS, [])


@pytest.mark.parametrize("outcome", LOSSES)
@pytest.mark.parametrize("kind", ["kept", "new"])
def test_one_lost_request_fails_and_is_named(kind, outcome):
    counts = Counts(sent=1000, answered=999)
    counts.count(outcome)
    found, reasons = verdict(load(**{kind: counts}), disrupted())
    assert found is Verdict.FAIL
    assert reasons == [f"1 of 1000 on {kind} connections: 1 {outcome.replace('_', ' ')}"]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"new": Counts(sent=1000, answered=999)}, "do not add up"),
        ({"new": Counts(sent=999, answered=1000)}, "do not add up"),
        ({"new": Counts(sent=999, answered=999)}, "1999 requests were sent"),
        ({"seconds": 120.0}, "requests a second"),
        ({"longest_lag": 1.1}, "stood still"),
    ],
)
def test_a_load_that_is_not_what_was_asked_for_is_invalid(facts, reason):
    found, reasons = verdict(load(**facts), disrupted())
    assert found is Verdict.INVALID
    assert reason in reasons[0]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"pods_gone": 0}, "took no pod away"),
        ({"sent_before": 30}, "began when only 30"),
        ({"sent_after": 1990}, "last longer"),
        ({"sent_after": REQUESTS}, "last longer"),
    ],
)
def test_a_disruption_that_was_not_within_the_load_is_invalid(facts, reason):
    found, reasons = verdict(load(), disrupted(**facts))
    assert found is Verdict.INVALID
    assert reason in reasons[0]


@pytest.mark.parametrize(
    ("found", "disruption", "problems"),
    [(None, disrupted(), ()), (load(), None, ()), (load(), disrupted(), ("the API was away",))],
)
def test_what_is_missing_is_invalid(found, disruption, problems):
    assert verdict(found, disruption, problems)[0] is Verdict.INVALID


outcomes = st.dictionaries(st.sampled_from(list(Outcome)), st.integers(0, 500))


def counts_of(outcome_numbers):
    return Counts(
        sent=sum(outcome_numbers.values()),
        **{str(outcome): number for outcome, number in outcome_numbers.items()},
    )


@given(outcomes, outcomes, st.integers(-2, 2), st.floats(0.1, 200), st.integers(0, 3))
def test_pass_means_that_every_request_was_answered(kept, new, miscounted, seconds, gone):
    first, second = counts_of(kept), counts_of(new)
    second.sent = max(0, second.sent + miscounted)
    requests = first.sent + second.sent
    found, reasons = judge(
        load(first, second, seconds=seconds), disrupted(pods_gone=gone),
        requests=requests, rate=RATE, timeout_seconds=TIMEOUT, problems=[],
    )  # fmt: skip
    lost = sum(
        n for numbers in (kept, new) for o, n in numbers.items() if o is not Outcome.ANSWERED
    )
    if found is Verdict.PASS:
        assert lost == miscounted == 0 < gone
        assert first.answered + second.answered == requests
        assert reasons == []
    else:
        assert reasons
    if found is Verdict.FAIL:
        assert lost > 0
        assert first.ended + second.ended == requests


@given(outcomes, outcomes)
def test_counts_add(one, other):
    both = counts_of(one) + counts_of(other)
    assert both.sent == both.ended == sum(one.values()) + sum(other.values())
    assert both.lost == both.sent - both.answered


@given(st.lists(st.sampled_from(list(Verdict))))
def test_the_worst_verdict_is_the_result(verdicts):
    assert worst(verdicts).exit_code == max((v.exit_code for v in verdicts), default=2)


def test_exit_codes():
    assert [Verdict.PASS.exit_code, Verdict.FAIL.exit_code, Verdict.INVALID.exit_code] == [0, 1, 2]
