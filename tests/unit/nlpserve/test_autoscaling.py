"""The numbers of a calibration, between its points."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlpserve.autoscaling import Calibration, LoadPoint


def pod(*points):
    return Calibration(
        model="m", capacity=1, saturation=100, objective_seconds=0.5, objective_share=0.99,
        cpu_limit=0.2, cpu_request=0.1, memory_request_mib=256, ready_seconds=5, idle_cpu=0.01,
        points=tuple(LoadPoint(rate=rate, in_flight=1, cpu=cpu) for rate, cpu in points),
    )  # fmt: skip


@given(cpus=st.lists(st.floats(0, 1), min_size=1, max_size=6), cpu=st.floats(0, 1))
def test_the_rate_at_a_cpu_is_the_lowest_that_uses_it(cpus, cpu):
    facts = pod(*((10.0 * (n + 1), each) for n, each in enumerate(cpus)))
    rate = facts.rate_at_cpu(cpu)
    assert 0 <= rate <= facts.points[-1].rate
    if cpu > max(facts.idle_cpu, *cpus):
        assert rate == facts.points[-1].rate
        return
    assert facts.at(rate).cpu >= cpu - 1e-9
    if rate > 0:
        assert all(facts.at(rate * share).cpu <= cpu + 1e-9 for share in (0.25, 0.5, 0.75, 0.99))


def test_cpu_that_falls_with_the_rate_is_no_second_answer():
    assert pod((10, 0.11), (20, 0.21), (30, 0.19)).rate_at_cpu(0.16) == pytest.approx(15)
    assert pod((10, 0.11)).rate_at_cpu(0.005) == 0
