"""One load at one rate on an open clock: a request begins when it is due, whatever others do.

A latency counts from when the request was due, so a pod that is slow cannot hide it.
"""

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Sequence
from typing import Final

from loadtest.calibration.trials import Objective, Trial, Wish
from loadtest.generator.answers import Answer, classify, get, read
from loadtest.generator.connection import Connection, Lost, Response
from loadtest.generator.watch import LAG_PERIOD, missed

MOST_OPEN: Final = 4_000
"""Requests without an answer; beyond, a request begins late."""
LEARNERS: Final = 8
"""Texts that are asked at a time before any load."""
METRICS: Final = "/metrics"
CPU_METRIC: Final = "process_cpu_seconds_total"
GAUGE_METRIC: Final = "nlpserve_in_flight"
MEMORY_METRIC: Final = "process_resident_memory_bytes"


class TrialFailed(Exception):
    """The pod does not tell what is needed of it."""


class Target:
    """The pod, the questions and the right answers."""

    def __init__(self, host: str, port: int, model: str, timeout_seconds: float) -> None:
        """`host` is an address."""
        self.address = (host, port)
        self.host = f"{host}:{port}"
        self.model = model
        self.timeout_seconds = timeout_seconds
        self.requests: list[bytes] = []
        self.right: list[Answer] = []
        self.free: deque[Connection] = deque()
        self.turns = itertools.count()
        """Whose turn it is, over all loads, so that short ones do not begin with the same texts."""

    async def ask(self, request: bytes) -> Response:
        """On a connection of its own. Raises Lost, TimeoutError."""
        async with asyncio.timeout(self.timeout_seconds):
            connection = await Connection.open(*self.address)
            try:
                return await connection.exchange(request)
            finally:
                connection.abort()

    async def learn(self, texts: list[str]) -> None:
        """The right answer to each text. Raises TrialFailed, Lost, TimeoutError."""
        self.requests = [classify(self.host, self.model, text, keep=True) for text in texts]
        room = asyncio.Semaphore(LEARNERS)
        try:
            async with asyncio.TaskGroup() as tasks:
                asked = [tasks.create_task(self._answer(each, room)) for each in self.requests]
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        self.right = [task.result() for task in asked]

    async def _answer(self, request: bytes, room: asyncio.Semaphore) -> Answer:
        async with room:
            response = await self.ask(request)
        answer = read(response.body, self.model) if response.status == 200 else None
        if answer is None:
            raise TrialFailed(f"status {response.status}: {response.body[:200]!r}")
        return answer

    async def metric(self, name: str) -> float:
        """The sum over all series of a name. Raises TrialFailed, Lost, TimeoutError."""
        text = (await self.ask(get(self.host, METRICS))).body.decode()
        found = [
            float(line.rsplit(" ", 1)[1])
            for line in text.splitlines()
            if line.partition("{")[0].partition(" ")[0] == name
        ]
        if not found:
            raise TrialFailed(f"the pod has no metric {name}")
        return sum(found)


class Load:
    """One wish being fulfilled."""

    def __init__(self, target: Target, wish: Wish, objective: Objective) -> None:
        """Nothing is sent yet."""
        self._target, self._wish, self._objective = target, wish, objective
        self._latencies: list[float] = []
        self._late = 0.0
        self._sent = self._answered = self._wrong = self._in_half = 0
        self._open = 0
        self._room = asyncio.Semaphore(MOST_OPEN)
        self._opens: list[int] = []
        self._gauges: list[float] = []
        self._lags: list[float] = []
        self._begin = 0.0

    async def run(self) -> Trial:
        """Returns when the last request ended. Raises OSError of this machine's own."""
        meant = max(1, round(self._wish.rate * self._wish.seconds))
        used, own = await self._target.metric(CPU_METRIC), time.process_time()
        self._begin = time.perf_counter()
        watches = [asyncio.create_task(self._watch())]
        if self._wish.sample_seconds:
            watches.append(asyncio.create_task(self._ask_gauge()))
        try:
            async with asyncio.TaskGroup() as tasks:
                for number in range(meant):
                    due = self._begin + number / self._wish.rate
                    await asyncio.sleep(due - time.perf_counter())
                    due = min(due, time.perf_counter())  # uvloop's timers may be a little early
                    await self._room.acquire()
                    if time.perf_counter() > self._begin + 2 * self._wish.seconds:
                        break  # what is not sent by now was missed
                    tasks.create_task(self._request(due))
                await asyncio.sleep(self._begin + self._wish.seconds - time.perf_counter())
                load_seconds = time.perf_counter() - self._begin
                own = time.process_time() - own
                used = await self._target.metric(CPU_METRIC) - used
                cpu_seconds = time.perf_counter() - self._begin
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            for watch in watches:
                watch.cancel()
        return self._trial(meant, used / cpu_seconds, own / load_seconds)

    def _trial(self, meant: int, cpu: float, own: float) -> Trial:
        latencies = sorted(self._latencies)
        ended = len(latencies)
        rank = min(max(0, ended - 1), int(self._objective.share * ended))
        lags = sorted(self._lags) or [0.0]
        third = len(self._opens) // 3
        growth = _mean(self._opens[2 * third :]) - _mean(self._opens[third : 2 * third])
        return Trial(
            rate=self._wish.rate,
            seconds=self._wish.seconds,
            meant=meant,
            sent=self._sent,
            answered=self._answered,
            in_time=sum(latency <= self._objective.seconds for latency in latencies),
            wrong=self._wrong,
            mean_seconds=round((sum(latencies) + self._late) / max(1, self._sent), 6),
            share_seconds=round(latencies[rank], 6) if latencies else 0.0,
            answered_rate=round(self._in_half / (self._wish.seconds / 2), 3),
            open=round(_mean(self._opens), 4),
            growth=round(growth / (self._wish.seconds / 3), 4),
            gauge=round(_mean(self._gauges), 4) if self._gauges else None,
            cpu=round(max(0.0, cpu), 4),
            generator_cpu=round(own, 4),
            lag=round(lags[int(0.99 * (len(lags) - 1))], 4),
        )

    @property
    def _goes_on(self) -> bool:
        """Whether the load lasts; what is open after it, only becomes less."""
        return time.perf_counter() < self._begin + self._wish.seconds

    async def _watch(self) -> None:
        while self._goes_on:
            before = time.perf_counter()
            await asyncio.sleep(LAG_PERIOD)
            self._lags += missed(time.perf_counter() - before - LAG_PERIOD)
            self._opens.append(self._open)

    async def _ask_gauge(self) -> None:
        while self._goes_on:
            await asyncio.sleep(self._wish.sample_seconds)
            try:
                self._gauges.append(await self._target.metric(GAUGE_METRIC))
            except (Lost, TimeoutError):
                continue  # one sample less

    async def _request(self, due: float) -> None:
        self._sent += 1
        self._open += 1
        try:
            right = await self._exchange(next(self._target.turns) % len(self._target.requests))
        except (Lost, TimeoutError):
            right = False
        finally:
            self._open -= 1
            self._room.release()
        now = time.perf_counter()
        latency = now - due
        if right:
            self._answered += 1
            self._in_half += 0.5 < (now - self._begin) / self._wish.seconds <= 1
            self._latencies.append(latency)
        else:
            self._late += latency

    async def _exchange(self, text: int) -> bool:
        """Whether the right answer came. Raises Lost, TimeoutError."""
        free = self._target.free
        connection: Connection | None = None
        while free and connection is None:
            kept = free.popleft()
            connection = kept if kept.usable else None
        try:
            async with asyncio.timeout(self._target.timeout_seconds):
                if connection is None:
                    connection = await Connection.open(*self._target.address)
                response = await connection.exchange(self._target.requests[text])
        except TimeoutError:
            if connection is not None:
                connection.abort()
            raise
        if response.close:
            connection.close()
        else:
            free.append(connection)
        if response.status != 200:
            return False
        answer = read(response.body, self._target.model)
        right = answer is not None and answer.agrees(self._target.right[text])
        self._wrong += not right
        return right


def _mean(values: Sequence[float]) -> float:
    return sum(values) / max(1, len(values))
