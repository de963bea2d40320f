"""A load that follows a shape: when requests are due, and that each is counted once."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.generator.pinned import Pinned, Pod
from loadtest.generator.shaped import arrivals, generate
from loadtest.shaped import SECOND, ShapedLoad, texts_to_learn
from nlpserve.autoscale_results import SecondCounts
from nlpserve.load_shapes import Profile


def profile(shape, seconds):
    return Profile.model_validate({"shape": shape, "seconds": seconds})


@given(st.lists(st.floats(0, 300), min_size=1, max_size=5), st.integers(5, 40))
def test_as_many_requests_are_due_as_the_area_under_the_rate(levels, seconds):
    load = profile({"kind": "step", "levels": [*levels, 1]}, seconds)
    due = list(arrivals(load))
    area = sum([*levels, 1]) * seconds / (len(levels) + 1)
    assert len(due) == pytest.approx(area, abs=2 + 0.02 * 300 * len(levels))
    assert due == sorted(due)
    assert not due or 0 <= due[0] <= due[-1] <= seconds


def test_a_steady_rate_is_evenly_spread():
    due = list(arrivals(profile(10, 2)))
    assert due == pytest.approx([0.05 + 0.1 * number for number in range(20)], abs=1e-9)


async def test_each_second_is_told_once_with_all_its_requests(server, capfd):
    async def shed_every_fifth(served, text, _writer):
        if served.served > 5 and served.served % 5 == 0:  # the first five are learned
            return server.plain({"title": "Overloaded"}, "503 Service Unavailable")
        return server.right(text)

    spec = ShapedLoad(
        url=f"http://127.0.0.1:{server.port}", model="intent", made_up=5, learn_rate=50,
        load=profile({"kind": "step", "levels": [20, 40]}, 2), objective_seconds=5,
    )  # fmt: skip
    server.misbehave = shed_every_fifth
    said = await generate(spec)
    lines = [line for line in capfd.readouterr().out.splitlines() if line.startswith(SECOND)]
    seconds = [SecondCounts(**json.loads(line.removeprefix(SECOND))) for line in lines]
    assert [counts.second for counts in seconds] == [0, 1]
    assert [counts.meant for counts in seconds] == [20, 40]
    assert sum(counts.shed for counts in seconds) == 12
    assert sum(counts.answered for counts in seconds) == 48
    assert all(counts.in_time == counts.answered for counts in seconds)
    assert (said.seconds, said.sent) == (2, 60)


async def test_own_texts_take_turns(server):
    asked = []

    async def note(_server, text, _writer):
        asked.append(text)
        return server.right(text)

    spec = ShapedLoad(
        url=f"http://127.0.0.1:{server.port}", model="intent", texts=("one", "two"), learn_rate=10,
        load=profile(4, 1), objective_seconds=5,
    )  # fmt: skip
    server.misbehave = note
    await generate(spec)
    assert asked[:2] == ["one", "two"]  # learned
    assert asked[2:] == ["one", "two"] * 2


async def test_right_answers_are_learned_slowly(server):
    target = Pinned([Pod("127.0.0.1", server.port)], "intent", 5)
    begin = time.monotonic()
    await target.learn(["one", "two", "three"], rate=10)
    assert time.monotonic() - begin >= 0.3
    assert len(target.right) == 3


def test_fewer_texts_are_learned_of_a_slow_pod():
    assert [texts_to_learn(capacity) for capacity in (0.1, 10, 1000)] == [20, 80, 200]
