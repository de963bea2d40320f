"""A steady load that counts each request exactly: sent as it begins, its outcome as it ends."""

import asyncio
import itertools
import time
from typing import Final

import orjson

from loadtest.generator.answers import Answer, classify, get, read, texts
from loadtest.generator.connection import Connection, Lost, Response
from loadtest.spec import LoadSpec
from nlpserve import routes
from nlpserve.load_results import Counts, LoadFacts, Loss, Outcome

MAX_EXAMPLES: Final = 8
DETAIL_CHARACTERS: Final = 120
LAG_PERIOD: Final = 0.05
AGAIN_SECONDS: Final = 0.5
CLASS_2: Final = range(200, 300)


class TargetError(Exception):
    """The target did not answer before the load; there is nothing to count."""


class Load:
    """One run: `learn` the right answers, then `run`."""

    def __init__(self, spec: LoadSpec, host: str, port: int) -> None:
        """`host` is an address: a name would be looked up for every new connection."""
        self._spec = spec
        self._address = (host, port)
        self._host = spec.url.removeprefix("http://")
        self._right: list[Answer] = []
        self._texts: list[str] = []
        self._version = ""
        self._begin = 0.0
        self._seconds = 0.0
        self._slowest = self._latest = self._lag = 0.0
        self._connections = self._closed_by_answer = self._closed_idle = 0
        self._losses: list[Loss] = []
        self._numbers = {kept: itertools.count() for kept in (True, False)}
        self.counts = {kept: Counts() for kept in (True, False)}

    # Before the load.

    async def learn(self) -> None:
        """Ask for each text's answer once. Raises TargetError when there is none in time."""
        deadline = time.monotonic() + self._spec.wait_seconds
        facts = get(self._host, routes.V1_MODEL.format(model=self._spec.model))
        self._version, language = _facts((await self._ask(facts, deadline)).body)
        self._texts = texts(language, self._spec.texts)
        for text in self._texts:
            request = classify(self._host, self._spec.model, text, keep=False)
            body = (await self._ask(request, deadline)).body
            answer = read(body, self._spec.model)
            if answer is None:
                raise TargetError(
                    f"{self._spec.model} does not answer as documented: {body[:200]!r}"
                )
            self._right.append(answer)

    async def _ask(self, request: bytes, deadline: float) -> Response:
        """Ask until there is an answer with 2xx."""
        while True:
            try:
                async with asyncio.timeout(self._spec.timeout_seconds):
                    connection = await Connection.open(*self._address)
                    response = await connection.exchange(request)
                connection.close()
                if response.status in CLASS_2:
                    return response
                problem = f"status {response.status}: {response.body[:200]!r}"
            except (Lost, TimeoutError) as error:
                problem = str(error) or "no answer in time"
            if time.monotonic() > deadline:
                raise TargetError(f"{self._spec.url} is not ready: {problem}")
            await asyncio.sleep(AGAIN_SECONDS)

    # The load.

    async def run(self) -> LoadFacts:
        """All requests; returns when the last one ended. Raises OSError of this machine's own."""
        self._begin = time.perf_counter()
        watch = asyncio.create_task(self._watch())
        try:
            async with asyncio.TaskGroup() as tasks:
                for client in range(self._spec.clients):
                    tasks.create_task(self._client(kept=client % 2 == 0))
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            watch.cancel()
        self._seconds = time.perf_counter() - self._begin
        return self.facts()

    def facts(self) -> LoadFacts:
        """What was counted."""
        return LoadFacts(
            model_version=self._version,
            kept=self.counts[True],
            new=self.counts[False],
            seconds=round(self._seconds, 3),
            slowest_answer=round(self._slowest, 3),
            latest_start=round(self._latest, 3),
            longest_lag=round(self._lag, 3),
            connections=self._connections,
            closed_by_answer=self._closed_by_answer,
            closed_idle=self._closed_idle,
            losses=self._losses,
        )

    def progress(self) -> dict[str, float]:
        """Counts by now."""
        total = self.counts[True] + self.counts[False]
        second = round(time.perf_counter() - self._begin, 3)
        return {"second": second, "sent": total.sent, "ended": total.ended, "lost": total.lost}

    async def _watch(self) -> None:
        """How long the event loop was held up: then the generator, not the target, was late."""
        while True:
            before = time.perf_counter()
            await asyncio.sleep(LAG_PERIOD)
            self._lag = max(self._lag, time.perf_counter() - before - LAG_PERIOD)

    async def _client(self, *, kept: bool) -> None:
        """Take the next request of this kind whenever the last one ended."""
        connection: Connection | None = None
        # Even requests go on kept connections, odd ones on new ones.
        for turn in self._numbers[kept]:
            number = 2 * turn + (not kept)
            if number >= self._spec.requests:
                break
            due = self._begin + number / self._spec.rate
            await asyncio.sleep(due - time.perf_counter())
            self._latest = max(self._latest, time.perf_counter() - due)
            if connection is not None and not connection.usable:
                self._closed_idle += 1
                connection = None
            connection = await self._request(number % len(self._texts), connection, kept=kept)
        if connection is not None:
            connection.close()

    async def _request(
        self, text: int, connection: Connection | None, *, kept: bool
    ) -> Connection | None:
        """One request, counted; returns the connection when it takes another one."""
        counts = self.counts[kept]
        reused = connection is not None
        request = classify(self._host, self._spec.model, self._texts[text], keep=kept)
        counts.sent += 1
        began = time.perf_counter()
        try:
            async with asyncio.timeout(self._spec.timeout_seconds):
                if connection is None:
                    connection = await Connection.open(*self._address)
                    self._connections += kept
                response = await connection.exchange(request)
        except Lost as error:
            self._end(counts, error.outcome, error.detail, reused=reused)
            return None  # it has ended itself
        except TimeoutError:
            self._end(counts, Outcome.TIMED_OUT, "no whole answer in time", reused=reused)
            if connection is not None:
                connection.abort()
            return None
        self._slowest = max(self._slowest, time.perf_counter() - began)
        self._end(counts, *self._judge(text, response), reused=reused)
        if kept and not response.close:
            return connection
        self._closed_by_answer += kept
        connection.close()
        return None

    def _judge(self, text: int, response: Response) -> tuple[Outcome, str]:
        if response.status == 503:
            return Outcome.SHED, repr(response.body)
        if response.status not in CLASS_2:
            return Outcome.STATUS, f"{response.status} {response.body!r}"
        answer = read(response.body, self._spec.model)
        if answer is None or not answer.agrees(self._right[text]):
            return Outcome.WRONG, repr(response.body)
        return Outcome.ANSWERED, ""

    def _end(self, counts: Counts, outcome: Outcome, detail: str, *, reused: bool) -> None:
        counts.count(outcome)
        if outcome is not Outcome.ANSWERED and len(self._losses) < MAX_EXAMPLES:
            second = round(time.perf_counter() - self._begin, 3)
            detail = detail[:DETAIL_CHARACTERS]
            self._losses.append(Loss(second=second, kept=reused, outcome=outcome, detail=detail))


def _facts(body: bytes) -> tuple[str, str]:
    """The model's version and language, by the service's own word."""
    try:
        facts = orjson.loads(body)
        return str(facts["version"]), str(facts["language"])
    except (ValueError, KeyError, TypeError):
        raise TargetError(f"no facts of the model: {body[:200]!r}") from None
