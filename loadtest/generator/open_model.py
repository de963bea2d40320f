"""The open model: requests begin by the clock, whatever became of others.

A request that finds every slot taken begins late; its latency counts from when it was due, so a
target that is slow cannot hide it by slowing the load down.
"""

import asyncio
import time
from collections import deque
from dataclasses import dataclass

from loadtest.generator.arrivals import arrivals
from loadtest.generator.connection import Connection, Lost
from loadtest.generator.questions import Questions
from loadtest.generator.tally import Tally
from loadtest.messages import Plan
from nlpserve.load_results import Outcome
from nlpserve.load_scenarios import OpenLoad


@dataclass
class Kept:
    """A connection with its age."""

    connection: Connection
    born: float
    uses: int = 0


class OpenModel:
    """All arrivals of one worker."""

    users = 0

    def __init__(self, plan: Plan, load: OpenLoad, tally: Tally) -> None:
        """Nothing is sent yet."""
        self._plan, self._load, self._tally = plan, load, tally
        self._life = plan.scenario.connections
        self._timeout = plan.scenario.timeout_seconds
        self._questions = Questions(plan)
        self._slots = asyncio.Semaphore(load.most_in_flight)
        self._free: deque[Kept] = deque()
        self._open = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._problem: BaseException | None = None
        self.connections = {
            "connections": 0, "closed_idle": 0, "closed_by_answer": 0, "closed_by_plan": 0
        }  # fmt: skip

    async def run(self) -> None:
        """Returns when the last request ended. Raises OSError of this machine's own."""
        for planned in arrivals(self._load, self._plan.index, self._plan.number):
            wait = planned - self._tally.now()
            if wait > 0:
                await asyncio.sleep(wait)
            due = min(planned, self._tally.now())  # uvloop's timers may be a little early
            await self._slots.acquire()
            if self._problem is not None:
                raise self._problem
            if self._tally.now() > self._load.end + self._timeout:
                break  # what is not sent by now is missed
            task = asyncio.create_task(self._request(due))
            self._tasks.add(task)
            task.add_done_callback(self._over)
        while self._tasks:
            await asyncio.wait(self._tasks)
        if self._problem is not None:
            raise self._problem
        rest = self._load.end - self._tally.now()
        if rest > 0:
            await asyncio.sleep(rest)
        for kept in self._free:
            kept.connection.close()

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._slots.release()
        if not task.cancelled() and task.exception() is not None:
            self._problem = task.exception()

    def _take(self) -> Kept | None:
        """The one that rested longest; None: a new one is needed."""
        while self._free and self._open >= self._life.least:
            kept = self._free.popleft()
            if kept.connection.usable:
                return kept
            self.connections["closed_idle"] += 1
            self._open -= 1
            kept.connection.abort()
        return None

    async def _request(self, due: float) -> None:
        text, request = self._questions.next()
        kept = self._take()
        sent = self._tally.start(due)
        try:
            async with asyncio.timeout(self._timeout):
                if kept is None:
                    connection = await Connection.open(self._plan.address, self._plan.port)
                    kept = Kept(connection, time.monotonic())
                    self._open += 1
                    self.connections["connections"] += 1
                response = await kept.connection.exchange(request)
        except (Lost, TimeoutError) as error:
            outcome = error.outcome if isinstance(error, Lost) else Outcome.TIMED_OUT
            self._tally.end(due, sent, outcome, None, str(error) or "no whole answer in time")
            if kept is not None:
                self._open -= 1
                kept.connection.abort()
            return
        kept.uses += 1
        outcome, detail = self._questions.judge(text, response)
        self._tally.end(due, sent, outcome, response.status, detail)
        if not response.close and not self._worn(kept):
            self._free.append(kept)
            return
        self._open -= 1
        self.connections["closed_by_plan" if self._worn(kept) else "closed_by_answer"] += 1
        kept.connection.close()

    def _worn(self, kept: Kept) -> bool:
        most, seconds = self._life.requests, self._life.seconds
        return (most is not None and kept.uses >= most) or (
            seconds is not None and time.monotonic() - kept.born >= seconds
        )
