"""`python -m loadtest.generator.shaped`: requests on an open clock that follow a traffic shape.

The spec comes in LOADTEST_SPEC. Each second's counts go to standard output once all its requests
have ended; the last word goes to the container's termination message.
"""

import asyncio
import os
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import uvloop

from loadtest.generator import answers
from loadtest.generator.__main__ import deliver
from loadtest.generator.answers import read
from loadtest.generator.calibration import model_facts
from loadtest.generator.connection import Connection, Lost
from loadtest.generator.pinned import Pinned, Pod, TrialFailed
from loadtest.generator.trial import MOST_OPEN
from loadtest.protocol import SPEC_VARIABLE
from loadtest.shaped import SECOND, ShapedLoad, ShapedResult
from nlpserve.autoscale_results import SecondCounts
from nlpserve.load_shapes import Profile

STEP_SECONDS: Final = 0.02
"""Within it the rate counts as steady."""


def main() -> int:
    """0 when the load came to its end, whatever became of the requests."""
    spec = ShapedLoad.model_validate_json(os.environ[SPEC_VARIABLE])
    try:
        said = uvloop.run(generate(spec))
    except (TrialFailed, Lost, TimeoutError, OSError) as error:
        deliver(f"{type(error).__name__}: {error}".encode())
        return 1
    deliver(said.model_dump_json().encode())
    return 0


async def generate(spec: ShapedLoad) -> ShapedResult:
    """Raises TrialFailed, Lost, TimeoutError, and OSError of this machine's own."""
    parts = urlsplit(spec.url)
    port = parts.port or 80
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    target = Pinned([Pod(str(found[0][4][0]), port)], spec.model, spec.timeout_seconds)
    target.host = spec.url.removeprefix("http://")
    _, language = await model_facts(target, spec.wait_seconds)
    texts = list(spec.texts) or answers.texts(language, spec.made_up)
    await target.learn(texts, spec.learn_rate)
    return await Shaped(spec, target).run()


def arrivals(load: Profile) -> Iterator[float]:
    """Seconds at which requests are due: one whenever the area under the rate has grown by one."""
    area = 0.5
    for step in range(round(load.end / STEP_SECONDS)):
        begin = step * STEP_SECONDS
        more = load.at(begin + STEP_SECONDS / 2) * STEP_SECONDS
        gone = 0.0
        while area + more - gone >= 1:
            gone += 1 - area
            area = 0.0
            yield begin + gone / more * STEP_SECONDS
        area += more - gone


class Shaped:
    """One load."""

    def __init__(self, spec: ShapedLoad, target: Pinned) -> None:
        """Nothing is sent yet."""
        self._spec, self._target = spec, target
        self._counts: dict[int, SecondCounts] = {}
        self._open: dict[int, int] = {}
        self._free: deque[tuple[float, Connection]] = deque()
        self._late: list[float] = []
        self._room = asyncio.Semaphore(MOST_OPEN)
        self._begin = 0.0
        self._told = 0

    async def run(self) -> ShapedResult:
        """Returns when the last request ended. Raises OSError of this machine's own."""
        self._begin, began, used = time.perf_counter(), time.time(), time.process_time()
        number = -1
        try:
            async with asyncio.TaskGroup() as tasks:
                for number, due in enumerate(arrivals(self._spec.load)):
                    await asyncio.sleep(self._begin + due - time.perf_counter())
                    await self._room.acquire()
                    second = int(due)
                    counts = self._counts.setdefault(second, SecondCounts(second=second, meant=0))
                    counts.meant += 1
                    self._open[second] = self._open.get(second, 0) + 1
                    self._late.append(max(0.0, time.perf_counter() - self._begin - due))
                    tasks.create_task(self._request(number, second, self._begin + due))
                    self._tell(second)
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        self._tell(sys.maxsize)
        for _, connection in self._free:
            connection.close()
        late = sorted(self._late) or [0.0]
        return ShapedResult(
            began=began,
            seconds=self._told,
            sent=number + 1,
            late_seconds=round(late[int(0.99 * (len(late) - 1))], 4),
            cpu=round((time.process_time() - used) / (time.perf_counter() - self._begin), 3),
        )

    def _tell(self, until: int) -> None:
        """Seconds before `until` whose requests have all ended."""
        for second in sorted(self._counts):
            if second >= until or self._open.get(second):
                return
            counts = self._counts.pop(second)
            counts.slowest = round(counts.slowest, 4)
            print(SECOND + counts.model_dump_json(), flush=True)
            self._told += 1

    async def _request(self, number: int, second: int, due: float) -> None:
        counts = self._counts[second]
        try:
            outcome = await self._exchange(number % len(self._target.requests))
        except (Lost, TimeoutError):
            outcome = "lost"
        finally:
            self._room.release()
            self._open[second] -= 1
        latency = time.perf_counter() - due
        if outcome != "answered":
            setattr(counts, outcome, getattr(counts, outcome) + 1)
            return
        counts.answered += 1
        counts.in_time += latency <= self._spec.objective_seconds
        counts.slowest = max(counts.slowest, latency)

    def _take(self) -> tuple[float, Connection] | None:
        """A kept connection that is young enough."""
        oldest = time.perf_counter() - self._spec.connection_seconds
        while self._free:
            born, connection = self._free.popleft()
            if born > oldest and connection.usable:
                return born, connection
            connection.close()
        return None

    async def _exchange(self, text: int) -> str:
        """The outcome, as a field of SecondCounts. Raises Lost, TimeoutError."""
        kept = self._take()
        try:
            async with asyncio.timeout(self._target.timeout_seconds):
                if kept is None:
                    opened = await self._target.pods[0].open()
                    kept = (time.perf_counter(), opened)
                response = await kept[1].exchange(self._target.requests[text])
        except TimeoutError:
            if kept is not None:
                kept[1].abort()
            raise
        if response.close:
            kept[1].close()
        else:
            self._free.append(kept)
        if response.status == 503:
            return "shed"
        answer = read(response.body, self._target.model) if response.status == 200 else None
        right = answer is not None and answer.agrees(self._target.right[text])
        return "answered" if right else "lost"


if __name__ == "__main__":
    sys.exit(main())
