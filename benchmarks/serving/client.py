"""A closed-loop HTTP/1.1 client that costs far less than the server it loads.

The generator runs beside the server, so its cost is part of what is measured: request bytes are
built before, a protocol reads only status, length and whether the connection closes, and bodies
are kept and looked at after the window. For anything but such a measurement use a real client.
"""

import asyncio
import gc
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import uvloop
from numpy.typing import NDArray

from benchmarks.serving.connection import Connection, Sample

MAX_FAILURES: Final = 200
"""Lost connections and unreadable answers after which a run gives up."""
CONNECT_SECONDS: Final = 10.0
SETTLE_SECONDS: Final = 15.0
DRAIN_SECONDS: Final = 15.0
RETRY_SECONDS: Final = 0.05

Address = tuple[str, int]
"""Host and port."""
CpuClock = Callable[[], float]
"""Seconds of CPU time used so far."""


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What one run saw. `samples` holds every answer, those of warm-up and drain too."""

    seconds: float
    settle_seconds: float  # from the first connection until each had an answer
    latencies: NDArray[np.float64]  # seconds, of the answers that came within the window
    samples: list[Sample]
    statuses: Counter[int]
    failures: list[str]  # one reason for each request without a readable answer
    reconnects: int
    client_cpu: float  # share of one core that this process used in the window
    server_cpu: float  # the same of the server; NaN where it cannot be known

    @property
    def requests_per_s(self) -> float:
        """Answers within the window, by its seconds."""
        return len(self.latencies) / self.seconds


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """How many connections, each with one request in flight, for how long."""

    connections: int
    warm_up_seconds: float
    window_seconds: float
    first: int = 0  # the request to begin with; then in order, round and round


def run_load(
    address: Address, requests: Sequence[bytes], plan: LoadPlan, server_cpu: CpuClock
) -> LoadResult:
    """Load the server and wait for all answers, at most DRAIN_SECONDS after the window.

    The cyclic garbage collector rests meanwhile: its pauses would be read as the server's.
    """
    gc.collect()
    gc.disable()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_Load(address, requests, plan).run(server_cpu))
    finally:
        gc.enable()


class _Load:
    """State that the connections share."""

    def __init__(self, address: Address, requests: Sequence[bytes], plan: LoadPlan) -> None:
        self.requests = requests
        self.samples: list[Sample] = []
        self.failures: list[str] = []
        self.stopping = False
        self._address = address
        self._plan = plan
        self._cursor = plan.first
        self._reconnects = 0
        self._open: set[Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()
        self._settled = asyncio.Event()
        self._unanswered = plan.connections

    async def run(self, server_cpu: CpuClock) -> LoadResult:
        plan = self._plan
        asyncio.get_running_loop().set_exception_handler(self._broken)
        started = time.perf_counter()
        async with asyncio.timeout(CONNECT_SECONDS):
            await asyncio.gather(*(self._connect() for _ in range(plan.connections)))
        await self._pause(SETTLE_SECONDS, self._settled)
        settle_seconds = time.perf_counter() - started
        await self._pause(plan.warm_up_seconds, self._ended)
        used, own, begin = server_cpu(), time.process_time(), time.perf_counter()
        await self._pause(plan.window_seconds, self._ended)
        end, own, used = time.perf_counter(), time.process_time() - own, server_cpu() - used
        self.stopping = True
        await self._drain()
        return LoadResult(
            seconds=end - begin,
            settle_seconds=settle_seconds,
            latencies=np.array(
                [
                    sample.finished - sample.started
                    for sample in self.samples
                    if begin <= sample.finished < end
                ]
            ),
            samples=self.samples,
            statuses=Counter(sample.status for sample in self.samples),
            failures=self.failures,
            reconnects=self._reconnects,
            client_cpu=own / (end - begin),
            server_cpu=used / (end - begin),
        )

    def take(self) -> int:
        """The index of the next request."""
        index = self._cursor % len(self.requests)
        self._cursor = index + 1
        return index

    def fail(self, reason: str) -> None:
        """Note a request without a readable answer; too many end the run."""
        self.failures.append(reason)
        if len(self.failures) >= MAX_FAILURES:
            self._settled.set()
            self._ended.set()

    def opened(self, connection: Connection) -> None:
        """A connection stands."""
        self._open.add(connection)

    def first_answer(self) -> None:
        """A connection had its first answer."""
        self._unanswered -= 1
        if self._unanswered == 0:
            self._settled.set()

    def closed(self, connection: Connection) -> None:
        """A connection is gone: another takes its place while the run goes on."""
        self._open.discard(connection)
        if not self.stopping and not self._ended.is_set():
            self._reconnects += 1
            task = asyncio.get_running_loop().create_task(self._reconnect())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)
        elif not self._open:
            self._ended.set()

    def _broken(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A callback raised: a fault of this client, which must not look like a slow server."""
        self.fail(f"client: {context.get('exception') or context['message']!r}")

    async def _pause(self, seconds: float, event: asyncio.Event) -> None:
        """Wait for the event, at most so long."""
        try:
            await asyncio.wait_for(event.wait(), seconds)
        except TimeoutError:
            return

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: Connection(self), *self._address)

    async def _reconnect(self) -> None:
        while not self.stopping and not self._ended.is_set():
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await self._connect()
            except OSError as error:  # TimeoutError is one
                self.fail(f"no connection: {error}")
                await asyncio.sleep(RETRY_SECONDS)
        return None

    async def _drain(self) -> None:
        for connection in tuple(self._open):
            if not connection.busy:
                connection.abort()
        if self._open and len(self.failures) < MAX_FAILURES:
            self._ended.clear()
            await self._pause(DRAIN_SECONDS, self._ended)
        for connection in tuple(self._open):
            if connection.busy:
                self.fail("no answer in time")
            connection.abort()
        for task in tuple(self._opening):
            task.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
