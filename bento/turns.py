"""When a batch goes: after the turns of the event loop that let it grow by itself."""

import asyncio
from collections.abc import Callable
from typing import Final

from nlpserve.metrics import BatchReason

STILL_TURNS: Final = 2
"""Turns of the loop without a new text after which a batch goes: a request is read in one turn and
reaches the queue in the next."""


class Turns:
    """Turns the loop until nothing new comes, then dispatches."""

    def __init__(
        self,
        dispatch: Callable[[BatchReason], None],
        depth: Callable[[], int],
        enough: int,
        rest_turns: int,
    ) -> None:
        """`depth` tells how many texts wait; at `enough` of them the batch goes at once."""
        self._loop = asyncio.get_running_loop()
        self._dispatch = dispatch
        self._depth = depth
        self._enough = enough
        self._rest_turns = rest_turns

    def gather(self, reason: BatchReason, seen: int = 0, still: int = 0) -> None:
        """Turn the loop until it brings nothing new: what waits in the sockets waits, too.

        A lone text costs this a few turns of an idle loop, some ten microseconds. Under load it
        makes one batch of what would have been a small one and a large one behind it.
        """
        depth = self._depth()
        still = 0 if depth > seen else still + 1
        if still < STILL_TURNS and depth < self._enough:
            self._loop.call_soon(self.gather, reason, depth, still)
        else:
            self._loop.call_soon(self._dispatch, reason)

    def rest(self, seconds: float) -> None:
        """Let the loop turn between two batches, to answer and to accept connections.

        After `seconds` no further turn: those who are turned away and come again at once can fill
        each turn, and the model, which alone makes the queue shorter, has to get its share.
        """
        self._rest(self._rest_turns, self._loop.time() + seconds)

    def _rest(self, turns: int, until: float) -> None:
        if turns and self._loop.time() < until:
            self._loop.call_soon(self._rest, turns - 1, until)
        else:
            self.gather(BatchReason.DRAINED)
