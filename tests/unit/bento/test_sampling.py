from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento.sampling import Reservoir

groups = st.lists(st.integers(0, 40), max_size=20)


def fill(reservoir, sizes):
    """Offer the numbers from 0 on in groups of these sizes."""
    first = 0
    for size in sizes:
        reservoir.offer(size, lambda position, first=first: first + position)
        first += size
    return first


@given(st.integers(1, 30), groups, st.integers(0, 1000))
def test_a_sample_holds_items_once_and_never_more_than_its_size(size, sizes, seed):
    reservoir = Reservoir(size, Random(seed))
    offered = fill(reservoir, sizes)
    kept = reservoir.take()
    assert len(kept) == min(size, offered)
    assert len(set(kept)) == len(kept)
    assert set(kept) <= set(range(offered))


@given(st.integers(1, 30), groups, st.integers(0, 1000))
def test_taking_begins_anew(size, sizes, seed):
    reservoir = Reservoir(size, Random(seed))
    fill(reservoir, sizes)
    reservoir.take()
    assert len(reservoir) == 0
    assert reservoir.take() == []
    offered = fill(reservoir, sizes)
    assert len(reservoir) == min(size, offered)


@pytest.mark.parametrize("sizes", [[1] * 60, [60], [5, 30, 25]])
def test_every_item_is_as_likely_wherever_it_stands(sizes):
    """Groups come shortest text first: what is kept must not depend on the place."""
    runs, size = 6000, 12
    random = Random(7)
    counts = np.zeros(60)
    reservoir = Reservoir(size, random)
    for _ in range(runs):
        fill(reservoir, sizes)
        counts[reservoir.take()] += 1
    expected = runs * size / 60
    spread = np.sqrt(expected * (1 - size / 60))
    assert abs(counts - expected).max() < 4.5 * spread


def test_what_is_not_kept_is_not_made():
    made = []
    reservoir = Reservoir(4, Random(1))
    reservoir.offer(100_000, lambda position: made.append(position) or position)
    assert len(made) < 100
