"""What the target is, by its own word, and its right answer to each text, before the load."""

import asyncio
import time
from typing import Final

import orjson

from loadtest.generator.answers import get
from loadtest.generator.connection import Connection, Lost, Response
from loadtest.generator.questions import CLASS_2, read, request
from loadtest.messages import Known
from nlpserve import routes
from nlpserve.load_results import Outcome
from nlpserve.load_scenarios import Scenario

AGAIN_SECONDS: Final = 0.5
TOGETHER: Final = 8
"""Texts that are asked for at the same time."""
MISBEHAVES_SECONDS: Final = 15.0
"""What takes connections and answers one question wrongly for so long is loaded all the same, and
counted."""
NOBODY: Final = frozenset({Outcome.REFUSED, Outcome.UNREACHABLE})


class Unreachable(Exception):
    """Nobody listens there: no load can be made."""


class Misbehaves(Exception):
    """It takes connections, but does not answer as it should: the load will count that."""


class Learner:
    """Asks one target."""

    def __init__(self, scenario: Scenario, host: str, address: str, port: int) -> None:
        """`host` is for the header."""
        self._scenario, self._host = scenario, host
        self._address, self._port = address, port
        self._deadline = time.monotonic() + scenario.workers.start_seconds
        self._timeout = min(scenario.timeout_seconds, 10.0)

    async def facts(self) -> tuple[str, str]:
        """Version and language of the model. Raises Unreachable, Misbehaves."""
        path = routes.V1_MODEL.format(model=self._scenario.target.model)
        body = (await self._ask(get(self._host, path))).body
        try:
            found = orjson.loads(body)
            return str(found["version"]), str(found["language"])
        except (ValueError, KeyError, TypeError):
            raise Misbehaves(f"no facts of the model: {body[:200]!r}") from None

    async def answers(self, texts: list[str]) -> list[Known]:
        """To each text. Raises Unreachable, Misbehaves."""
        slots = asyncio.Semaphore(TOGETHER)

        async def one(text: str) -> Known:
            async with slots:
                return await self._answer(text)

        tasks = [asyncio.create_task(one(text)) for text in texts]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def _answer(self, text: str) -> Known:
        target = self._scenario.target
        asked = request(target.route, self._host, target.model, text, keep=False)
        body = (await self._ask(asked)).body
        found = read(target.route, target.model, body)
        if found is None:
            raise Misbehaves(f"{target.model} does not answer as documented: {body[:200]!r}")
        return Known(label=found.label, scores=dict(found.scores))

    async def _ask(self, asked: bytes) -> Response:
        """Ask until there is an answer with 2xx."""
        patience = min(self._deadline, time.monotonic() + MISBEHAVES_SECONDS)
        while True:
            nobody = False
            try:
                async with asyncio.timeout(self._timeout):
                    connection = await Connection.open(self._address, self._port)
                    response = await connection.exchange(asked)
                connection.close()
                if response.status in CLASS_2:
                    return response
                problem = f"status {response.status}: {response.body[:200]!r}"
            except Lost as error:
                problem, nobody = str(error), error.outcome in NOBODY
            except TimeoutError:
                problem = "no answer in time"
            now = time.monotonic()
            if nobody and now > self._deadline:
                raise Unreachable(f"{self._host}: {problem}")
            if not nobody and now > patience:
                raise Misbehaves(problem)
            await asyncio.sleep(AGAIN_SECONDS)
