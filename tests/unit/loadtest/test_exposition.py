import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

sys.path.insert(0, str(Path(__file__).parent))

from facts import CLOSED, OPEN, measured, scenario

from loadtest.generator.exposition import Sample, answer, render
from loadtest.messages import Plan
from nlpserve import load_metrics as names
from nlpserve.load_results import Outcome
from nlpserve.load_tests import Second


def families(load=OPEN, second=None):
    plan = Plan(
        scenario=scenario(load), host="x", address="a", port=1, texts=["t"], answers=[], index=3,
        number=4, run="r",
    )  # fmt: skip
    whole = measured(answered=7, shed=2, latency=0.03)
    text = render(plan, Sample(second, whole, cpu=0.25, lag=0.001))
    assert answer(text).endswith(text.encode())
    return {found.name: found for found in text_string_to_metric_families(text)}


def test_every_name_of_the_dashboard_is_there_with_its_labels():
    found = families()
    wanted = {
        names.USERS, names.INTENDED_RATE, names.REQUESTS, names.LATENCY, names.OPEN_CONNECTIONS,
        names.CPU_RATIO, names.LOOP_LAG,
    }  # fmt: skip
    assert found.keys() == wanted
    for family in found.values():
        for sample in family.samples:
            assert {name: sample.labels[name] for name in names.LABELS} == {
                "scenario": "a", "run": "r", "worker": "3"
            }  # fmt: skip


def test_requests_by_outcome_and_latency():
    found = families()
    numbers = {s.labels[names.OUTCOME]: s.value for s in found[names.REQUESTS].samples}
    assert numbers == {str(o): {"answered": 7, "shed": 2}.get(o, 0) for o in Outcome}
    samples = {(s.name, s.labels.get("le")): s.value for s in found[names.LATENCY].samples}
    assert samples[f"{names.LATENCY}_bucket", "0.025"] == 0
    assert samples[f"{names.LATENCY}_bucket", "0.05"] == 7
    assert samples[f"{names.LATENCY}_count", None] == 7
    assert samples[f"{names.LATENCY}_sum", None] == pytest.approx(0.21)


@pytest.mark.parametrize(("load", "users", "rate"), [(OPEN, 0, 5), (CLOSED, 5, 5)])
def test_users_and_intended_rate_are_those_of_the_last_second(load, users, rate):
    second = Second(second=1, intended=5, users=users, sockets=[6])
    found = families(load, second)
    values = {name: family.samples[0].value for name, family in found.items()}
    assert values[names.USERS] == users
    assert values[names.INTENDED_RATE] == rate
    assert values[names.OPEN_CONNECTIONS] == 6
