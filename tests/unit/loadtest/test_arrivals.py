from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.generator.arrivals import arrivals
from nlpserve.load_scenarios import OpenLoad


def load(shape, ramp=0, seconds=10, arrivals="even"):
    return OpenLoad(
        model="open", shape=shape, ramp_seconds=ramp, seconds=seconds, arrivals=arrivals
    )


def together(given_load, workers):
    return sorted(at for index in range(workers) for at in arrivals(given_load, index, workers))


@given(st.floats(0.5, 80), st.sampled_from([0, 1, 3.5]), st.floats(1, 20), st.integers(1, 5))
def test_workers_together_send_what_one_would(rate, ramp, seconds, workers):
    found = together(load(rate, ramp, seconds), workers)
    assert found == pytest.approx(together(load(rate, ramp, seconds), 1))
    assert abs(len(found) - rate * (ramp / 2 + seconds)) <= 1
    assert all(0 <= at <= ramp + seconds for at in found)


def test_even_arrivals_are_equally_far_apart():
    found = together(load(10), 3)
    gaps = [after - before for before, after in pairwise(found)]
    assert gaps == pytest.approx([0.1] * 99)


def test_a_step_is_followed_at_once():
    found = together(load({"kind": "step", "levels": [10, 0, 50]}, seconds=9), 2)
    parts = [sum(low <= at < low + 3 for at in found) for low in (0, 3, 6)]
    assert parts == [30, 0, 150]


def test_poisson_arrivals_are_as_many_on_average_and_differ_between_workers():
    wanted = load(200, seconds=50, arrivals="poisson")
    found = [list(arrivals(wanted, index, 4)) for index in range(4)]
    assert abs(sum(map(len, found)) - 10_000) < 500
    assert found[0] != found[1]
    gaps = [b - a for a, b in pairwise(found[0])]
    mean = sum(gaps) / len(gaps)
    spread = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert spread == pytest.approx(mean, rel=0.15)
