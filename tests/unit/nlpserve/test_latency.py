import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlpserve.latency import COARSE, FINE, Histogram

values = st.lists(st.floats(0, 5_000), max_size=60)


def histogram(seconds, bits=FINE):
    found = Histogram(bits=bits)
    for value in seconds:
        found.record(value)
    return found


@given(values, values)
def test_two_together_are_the_histogram_of_all_values(one, other):
    assert histogram(one) + histogram(other) == histogram(one + other)


@given(values.filter(bool), st.floats(0, 100), st.sampled_from([FINE, COARSE]))
def test_a_percentile_is_no_smaller_than_the_value_and_as_exact_as_promised(seconds, percent, bits):
    exact = sorted(round(value * 1e6) for value in seconds)
    rank = max(1, math.ceil(len(exact) * percent / 100 - 1e-9))
    true = exact[rank - 1] / 1e6
    found = histogram(seconds, bits).percentile(percent)
    assert true <= found <= true * (1 + 2 ** (1 - bits)) + 1e-9
    assert found <= max(exact) / 1e6


@given(values)
def test_coarser_is_what_coarse_buckets_would_have_counted(seconds):
    assert histogram(seconds).coarser() == histogram(seconds, COARSE)


@given(values)
def test_json_keeps_it(seconds):
    found = histogram(seconds)
    assert Histogram.model_validate_json(found.model_dump_json()) == found


def test_mean_and_highest_are_exact():
    found = histogram([0.1, 0.2, 0.600001])
    assert (found.number, found.mean, found.highest) == (3, 0.300000333333333334, 0.600001)


def test_nothing_has_no_percentile():
    empty = Histogram()
    assert (empty.percentile(50), empty.mean, empty.highest, empty.number) == (None, None, None, 0)


def test_what_cannot_be_asked_is_an_error():
    with pytest.raises(ValueError, match="not within"):
        histogram([1]).percentile(101)
    with pytest.raises(ValueError, match="do not add up"):
        Histogram() + Histogram(bits=COARSE)
    with pytest.raises(ValueError, match="finer"):
        Histogram(bits=COARSE).coarser(FINE)
