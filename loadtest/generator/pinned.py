"""The pods that are measured: what they are asked, what is right, what they say of themselves."""

import asyncio
import itertools
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson

from loadtest.generator.answers import Answer, classify, get, read
from loadtest.generator.connection import Connection, Response
from nlpserve import metrics as names
from nlpserve import routes

LEARNERS: Final = 8
"""Texts that are asked at a time before any load."""
METRICS: Final = "/metrics"
CPU: Final = "process_cpu_seconds_total"
MEMORY: Final = "process_resident_memory_bytes"
PERIODS: Final = f"{names.CPU_PERIODS}_total"
THROTTLED: Final = f"{names.CPU_THROTTLED_PERIODS}_total"


class TrialFailed(Exception):
    """A pod does not tell what is needed of it."""


@dataclass(frozen=True)
class Pod:
    """One of them, and the connections to it that are kept."""

    host: str
    port: int
    free: deque[Connection] = field(default_factory=deque)

    def kept(self) -> Connection | None:
        """A connection that takes a request."""
        while self.free:
            found = self.free.popleft()
            if found.usable:
                return found
        return None

    async def open(self) -> Connection:
        """A new one. Raises Lost."""
        return await Connection.open(self.host, self.port)


class Pinned:
    """All pods as one target, each in its turn, with the questions and the right answers."""

    def __init__(self, pods: Sequence[Pod], model: str, timeout_seconds: float) -> None:
        """One pod at least."""
        self.pods = tuple(pods)
        self.host = f"{pods[0].host}:{pods[0].port}"
        self.model = model
        self.timeout_seconds = timeout_seconds
        self.requests: list[bytes] = []
        self.right: list[Answer] = []
        self._turns = itertools.count()

    def next(self) -> tuple[Pod, int]:
        """Who is asked which text: over all loads, so that short ones do not begin with the same.

        With each pass over the texts the pods change places, or each would get its own texts alone.
        """
        turn = next(self._turns)
        passes, text = divmod(turn, len(self.requests))
        return self.pods[(text + passes) % len(self.pods)], text

    async def ask(self, request: bytes, pod: Pod | None = None) -> Response:
        """On a connection of its own; the first pod unless told. Raises Lost, TimeoutError."""
        async with asyncio.timeout(self.timeout_seconds):
            connection = await (pod or self.pods[0]).open()
            try:
                return await connection.exchange(request)
            finally:
                connection.abort()

    async def learn(self, texts: list[str], rate: float = math.inf) -> None:
        """The right answer to each text, `rate` of them a second.

        Raises TrialFailed, Lost, TimeoutError.
        """
        self.requests = [classify(self.host, self.model, text, keep=True) for text in texts]
        room = asyncio.Semaphore(LEARNERS)
        try:
            async with asyncio.TaskGroup() as tasks:
                asked = []
                for each in self.requests:
                    asked.append(tasks.create_task(self._answer(each, room)))
                    await asyncio.sleep(1 / rate)
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

    async def in_flight(self) -> float:
        """Texts, of a pod on average. Raises TrialFailed, Lost, TimeoutError.

        From the model's own page: a look at all metrics costs as much CPU as half a text, which
        would count as the load's.
        """
        path = routes.V1_MODEL.format(model=self.model)
        asked = [self.ask(get(self.host, path), pod) for pod in self.pods]
        pages = [response.body for response in await asyncio.gather(*asked)]
        try:
            texts = [float(orjson.loads(page)["live"]["in_flight"]) for page in pages]
        except (ValueError, KeyError, TypeError):
            raise TrialFailed(f"{path} does not tell live.in_flight") from None
        return sum(texts) / len(texts)

    async def metric(self, name: str) -> float:
        """The sum over its series, of a pod on average. Raises TrialFailed, Lost, TimeoutError."""
        found = (await self.metrics(name))[name]
        if found is None:
            raise TrialFailed(f"the pod has no metric {name}")
        return found

    async def metrics(self, *wanted: str) -> dict[str, float | None]:
        """The same of several, by one look at each pod; None for what a pod has not."""
        asked = [self.ask(get(self.host, METRICS), pod) for pod in self.pods]
        pages = [response.body.decode() for response in await asyncio.gather(*asked)]
        return {name: _mean([_sum(page, name) for page in pages]) for name in wanted}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if len(known) == len(values) else None


def _sum(page: str, name: str) -> float | None:
    found = [
        float(line.rsplit(" ", 1)[1])
        for line in page.splitlines()
        if line.partition("{")[0].partition(" ")[0] == name
    ]
    return sum(found) if found else None
