"""A uniform sample of a stream whose length nobody knows, in bounded memory."""

import math
from collections.abc import Callable
from random import Random
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Reservoir(Generic[Item]):
    """At most `size` of the items offered since the last `take`, each as likely as any other.

    Algorithm L of Li, Reservoir-Sampling Algorithms of Time Complexity O(n(1 + log(N/n))), 1994:
    how many items to pass over is drawn at once, so that an item not kept costs next to nothing.
    """

    def __init__(self, size: int, random: Random) -> None:
        """Nothing was offered yet."""
        self._size = size
        self._random = random
        self._begin()

    def __len__(self) -> int:
        """Items kept."""
        return len(self._kept)

    def offer(self, count: int, item: Callable[[int], Item]) -> None:
        """`count` items more; `item` makes the one at a position of them, when it is kept."""
        first = self._offered
        self._offered += count
        while self._next < self._offered:
            kept = item(self._next - first)
            if len(self._kept) < self._size:
                self._kept.append(kept)
            else:
                self._kept[self._random.randrange(self._size)] = kept
            self._next += 1
            if len(self._kept) == self._size:
                self._pass_over()

    def take(self) -> list[Item]:
        """The sample, in random order; a new one begins."""
        taken = self._kept
        self._random.shuffle(taken)
        self._begin()
        return taken

    def _begin(self) -> None:
        self._kept: list[Item] = []
        self._offered = self._next = 0
        self._largest = (
            1.0  # of `size` uniform numbers, were each item drawn one and the least kept
        )

    def _pass_over(self) -> None:
        self._largest *= math.exp(math.log(1 - self._random.random()) / self._size)
        passed = math.log(1 - self._random.random()) / math.log1p(-self._largest)
        self._next += math.floor(passed)
