"""Between two batches the loop turns, but the model does not wait for ever-full turns."""

import asyncio
import time

import pytest

from bento.turns import Turns

REST_TURNS = 8
FULL_TURN = 0.02
"""Seconds."""


@pytest.mark.parametrize(
    ("seconds", "least", "most"), [(FULL_TURN / 2, 1, 5), (60, REST_TURNS, 60)]
)
async def test_full_turns_end_the_rest(seconds, least, most):
    loop = asyncio.get_running_loop()
    went = loop.create_future()
    turns = 0

    def full_turn():
        nonlocal turns
        turns += 1
        time.sleep(FULL_TURN)
        if not went.done():
            loop.call_soon(full_turn)

    made = Turns(went.set_result, lambda: 64, 64, REST_TURNS)
    loop.call_soon(full_turn)
    made.rest(seconds)
    await went
    assert least <= turns <= most
