"""The target while it is loaded: its pods, how many, what each counted before and after."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from loadtest.cluster import Cluster, ClusterError
from loadtest.coordinator.counters import Counted, from_log, from_metrics
from loadtest.generator.answers import get
from loadtest.generator.connection import Connection, Lost
from loadtest.objects import Pod, Target
from nlpserve import routes
from nlpserve.load_tests import PodFacts, ReplicaPoint

PERIOD_SECONDS: Final = 1.0
READ_SECONDS: Final = 10.0
FOLLOWERS: Final = 200
"""Pods whose end can be followed at the same time."""
LAST_WORD_SECONDS: Final = 5.0
"""After the load, how long the last words of pods that ended are waited for."""


@dataclass
class Seen:
    """A pod that was there at some time."""

    facts: PodFacts
    restarts: int
    last: Counted | None = None
    foreign_before: int = 0
    last_word: asyncio.Task[Counted | None] | None = None
    gone: bool = False
    was_ready: bool = False


@dataclass
class Watch:
    """Looks at the target once a second."""

    cluster: Cluster
    target: Target
    model: str
    route: str
    clock: Callable[[], float] = time.monotonic
    """Seconds since the load's begin."""
    pods: dict[str, Seen] = field(default_factory=dict)
    replicas: list[ReplicaPoint] = field(default_factory=list)
    sha256: str = ""
    problems: list[str] = field(default_factory=list)
    followers: Executor = field(default_factory=lambda: ThreadPoolExecutor(FOLLOWERS))

    async def before(self) -> None:
        """Read each pod's counters. What was counted by now is not the load's."""
        for pod in await self._list():
            try:
                counted = await self.read(pod)
            except ClusterError as error:
                if pod.ready:
                    self.problems.append(str(error))
                counted = Counted({}, 0)
            facts = PodFacts(name=pod.name, image_digest=pod.image_digest, before=counted.ours)
            self.pods[pod.uid] = Seen(
                facts, pod.restarts, foreign_before=counted.others, was_ready=pod.ready
            )
            self.sha256 = self.sha256 or counted.sha256

    async def read(self, pod: Pod) -> Counted:
        """A pod's counters by its metrics. Raises ClusterError when it gives none."""
        try:
            async with asyncio.timeout(READ_SECONDS):
                connection = await Connection.open(pod.address, pod.port)
                answer = await connection.exchange(get(pod.address, routes.METRICS))
            connection.close()
        except (Lost, TimeoutError, OSError) as error:
            raise ClusterError(f"read the counters of {pod.name}: {error or 'no answer'}") from None
        if answer.status != 200:
            raise ClusterError(f"read the counters of {pod.name}: status {answer.status}")
        return from_metrics(answer.body.decode(errors="replace"), self.model, self.route)

    async def look(self) -> None:
        """Note which pods are there; called once a second."""
        now = round(self.clock(), 1)
        try:
            pods, state = await asyncio.gather(
                self._list(), asyncio.to_thread(self.cluster.target, self.target)
            )
        except ClusterError:
            return  # the next look may see it
        ready = sum(pod.ready and not pod.ending for pod in pods)
        if not self.replicas or (self.replicas[-1].wanted, self.replicas[-1].ready) != (
            state.replicas,
            ready,
        ):
            self.replicas.append(ReplicaPoint(second=now, wanted=state.replicas, ready=ready))
        for pod in pods:
            seen = self.pods.get(pod.uid)
            if seen is None:
                seen = self.pods[pod.uid] = Seen(PodFacts(name=pod.name), pod.restarts)
                seen.facts.first_second = now
            seen.was_ready |= pod.ready
            seen.facts.image_digest = pod.image_digest or seen.facts.image_digest
            seen.facts.restarts = max(seen.facts.restarts, pod.restarts - seen.restarts)
            if pod.ending and seen.last_word is None:
                seen.facts.last_second = now
                seen.last_word = asyncio.create_task(self._last_word(pod))
        names = {pod.uid for pod in pods}
        for uid, seen in self.pods.items():
            if uid not in names and not seen.gone:
                seen.gone = True
                seen.facts.last_second = seen.facts.last_second or now

    async def after(self) -> list[PodFacts]:
        """Each pod's counters once more."""
        for pod in await self._list():
            seen = self.pods.get(pod.uid)
            if seen is None:
                continue
            try:
                seen.last = await self.read(pod)  # of one that ends, too: its last word comes later
            except ClusterError as error:
                if not (pod.ready or seen.was_ready):  # it never had a request
                    seen.last = Counted({}, 0)
                elif not pod.ending:
                    self.problems.append(str(error))
        for seen in self.pods.values():
            if seen.last_word is not None:
                await asyncio.wait((seen.last_word,), timeout=LAST_WORD_SECONDS)
                said = seen.last_word.result() if seen.last_word.done() else None
                if said is not None:
                    seen.last, seen.facts.source = said, "log"
            self._close(seen)
        return [seen.facts for seen in self.pods.values()]

    @staticmethod
    def _close(seen: Seen) -> None:
        if seen.last is None:
            seen.facts.source = "none"
            return
        seen.facts.after = seen.last.ours
        seen.facts.foreign = max(0, seen.last.others - seen.foreign_before)

    async def _list(self) -> list[Pod]:
        found = await asyncio.to_thread(
            self.cluster.pods, self.target.namespace, self.target.selector
        )
        return [pod for pod in found if pod.phase == "Running" and pod.address]

    async def _last_word(self, pod: Pod) -> Counted | None:
        """Follow the log of a pod that ends; None when it dies without a word."""
        found: Counted | None = None
        loop = asyncio.get_running_loop()
        # Not the loop's own few threads: looks and reads must go on meanwhile.
        for line in await loop.run_in_executor(self.followers, self.cluster.follow, pod):
            found = from_log(line, self.model, self.route) or found
        return found


async def every_second(look: Callable[[], Awaitable[None]]) -> None:
    """Until cancelled."""
    while True:
        await look()
        await asyncio.sleep(PERIOD_SECONDS)
