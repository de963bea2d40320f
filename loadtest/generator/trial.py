"""One load at one rate on an open clock: a request begins when it is due, whatever others do.

A latency counts from when the request was due, so a pod that is slow cannot hide it. Rates, CPU and
texts in flight are those of one pod, on average where there are several; requests are all of them.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from loadtest.calibration.trials import Objective, Trial, Wish
from loadtest.generator import pinned
from loadtest.generator.answers import read
from loadtest.generator.connection import Lost
from loadtest.generator.pinned import Pinned, Pod, TrialFailed
from loadtest.generator.watch import LAG_PERIOD, missed

MOST_OPEN: Final = 4_000
"""Requests without an answer; beyond, a request begins late."""


class Load:
    """One wish being fulfilled."""

    def __init__(self, target: Pinned, wish: Wish, objective: Objective) -> None:
        """Nothing is sent yet."""
        self._target, self._wish, self._objective = target, wish, objective
        self._rate = wish.rate * len(target.pods)
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
        """Returns when the last request ended.

        Raises TrialFailed, and OSError of this machine's own.
        """
        meant = max(1, round(self._rate * self._wish.seconds))
        before, own = await self._used(), time.process_time()
        self._begin = time.perf_counter()
        watches = [asyncio.create_task(self._watch())]
        if self._wish.sample_seconds:
            watches.append(asyncio.create_task(self._ask_gauge()))
        try:
            async with asyncio.TaskGroup() as tasks:
                for number in range(meant):
                    due = self._begin + number / self._rate
                    await asyncio.sleep(due - time.perf_counter())
                    due = min(due, time.perf_counter())  # uvloop's timers may be a little early
                    await self._room.acquire()
                    if time.perf_counter() > self._begin + 2 * self._wish.seconds:
                        break  # what is not sent by now was missed
                    tasks.create_task(self._request(due))
                await asyncio.sleep(self._begin + self._wish.seconds - time.perf_counter())
                load_seconds = time.perf_counter() - self._begin
                own = time.process_time() - own
                used = [now - then for now, then in zip(await self._used(), before, strict=True)]
                used[0] /= time.perf_counter() - self._begin
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            for watch in watches:
                watch.cancel()
        for watch in watches:
            if watch.done():  # already, so by itself
                watch.result()
        return self._trial(meant, used, own / load_seconds)

    async def _used(self) -> tuple[float, float, float]:
        """Seconds of CPU, periods of its limit, those in which it was stopped (zeros: no limit)."""
        found = await self._target.metrics(pinned.CPU, pinned.PERIODS, pinned.THROTTLED)
        cpu, periods, throttled = found.values()
        if cpu is None:
            raise TrialFailed(f"the pod has no metric {pinned.CPU}")
        return cpu, periods or 0.0, throttled or 0.0

    def _trial(self, meant: int, used: Sequence[float], own: float) -> Trial:
        cpu, periods, throttled = used
        pods = len(self._target.pods)
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
            answered_rate=round(self._in_half / pods / (self._wish.seconds / 2), 3),
            open=round(_mean(self._opens) / pods, 4),
            growth=round(growth / (self._wish.seconds / 3), 4),
            gauge=round(_mean(self._gauges), 4) if self._gauges else None,
            cpu=round(max(0.0, cpu), 4),
            throttled=round(throttled / periods, 4) if periods > 0 else None,
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
                self._gauges.append(await self._target.in_flight())
            except (Lost, TimeoutError):
                continue  # one sample less

    async def _request(self, due: float) -> None:
        self._sent += 1
        self._open += 1
        try:
            right = await self._exchange(*self._target.next())
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

    async def _exchange(self, pod: Pod, text: int) -> bool:
        """Whether the right answer came. Raises Lost, TimeoutError."""
        connection = pod.kept()
        try:
            async with asyncio.timeout(self._target.timeout_seconds):
                if connection is None:
                    connection = await pod.open()
                response = await connection.exchange(self._target.requests[text])
        except TimeoutError:
            if connection is not None:
                connection.abort()
            raise
        if response.close:
            connection.close()
        else:
            pod.free.append(connection)
        if response.status != 200:
            return False
        answer = read(response.body, self._target.model)
        right = answer is not None and answer.agrees(self._target.right[text])
        self._wrong += not right
        return right


def _mean(values: Sequence[float]) -> float:
    return sum(values) / max(1, len(values))
