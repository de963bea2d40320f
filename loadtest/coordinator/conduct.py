"""One load test from its begin to its verdict, conducted from a pod of the cluster."""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from loadtest import run_manifests
from loadtest.cluster import Cluster, ClusterError
from loadtest.coordinator import assemble, prometheus
from loadtest.coordinator.hub import Hub
from loadtest.coordinator.prepare import NotRun, prepare
from loadtest.coordinator.target import Watch, every_second
from loadtest.messages import Run
from loadtest.objects import Target
from loadtest.protocol import COORDINATOR_PORT
from loadtest.spec import SpecError
from loadtest.target import find_model
from nlpserve.load_tests import LoadTestResult, Reason, ReasonCode

PERIOD_SECONDS: Final = 0.25
SETTLE_SECONDS: Final = 5.0
"""After requests that broke off: a pod may still count them."""
END_SECONDS: Final = 30.0
"""Beyond the end and the timeout, for workers to say their last word."""
SCRAPE_SECONDS: Final = 15.0
"""Prometheus has the end of the load only after its next scrape."""
ALLOW: Final = "kubectl apply --namespace {0.namespace} -k k8s/loadtest/target"
Tell = Callable[[dict[str, object]], None]


class Conductor:
    """Everything of one run."""

    def __init__(self, cluster: Cluster, run: Run, address: str, tell: Tell) -> None:
        """`address` is this pod's; `tell` gets a line of progress each second."""
        self._cluster, self._run, self._address, self._tell = cluster, run, address, tell
        self._namespace = cluster.namespace
        self._began = time.time()
        self._zero = time.monotonic()
        self.result = LoadTestResult(**assemble.frame(run, self._began))

    def _second(self) -> float:
        return time.monotonic() - self._zero

    async def conduct(self) -> LoadTestResult:
        """The result with its verdict, whatever happens."""
        started = time.monotonic()
        reasons: list[Reason] = []
        try:
            await self._all(reasons)
        except NotRun as error:
            reasons.append(error.reason)
        except (ClusterError, SpecError, OSError) as error:
            hint = ""
            if isinstance(error, ClusterError) and error.status == 403:
                hint = f"; let the coordinator see it: {ALLOW.format(self._run.scenario.target)}"
            reasons.append(Reason(code=ReasonCode.NOT_RUN, text=f"{error}{hint}"))
        finally:
            with suppress(ClusterError):
                name = run_manifests.workers_name(self._run.name)
                await asyncio.to_thread(self._cluster.delete_job, self._namespace, name)
        self.result.seconds = round(time.monotonic() - started, 1)
        return assemble.judged(self.result, reasons)

    async def _all(self, reasons: list[Reason]) -> None:
        scenario = self._run.scenario
        target = await asyncio.to_thread(
            find_model, self._cluster, scenario.target, self._namespace
        )
        self.result.cluster = await asyncio.to_thread(self._cluster.facts)
        self._tell({"phase": "asking the target"})
        plan, self.result.target = await prepare(self._cluster, self._run, target)
        watch = Watch(self._cluster, target, scenario.target.model, scenario.target.route)
        hub = Hub(plan)
        port = await hub.listen(self._address, COORDINATOR_PORT)
        try:
            await self._start_workers(hub, f"{self._address}:{port}")
            await watch.before()
            self.result.load_average = round(os.getloadavg()[0], 2)
            await self._load(hub, watch)
        finally:
            self.result.timeline = hub.timeline()
            self._note_workers(hub, reasons)
            await hub.close()
        if not plan.answers and self.result.all.counts.answered:
            text = "the target gave no right answers before the load: what it gave was not checked"
            reasons.append(Reason(code=ReasonCode.UNCHECKED, text=text))
        await self._after(watch, target, reasons)

    async def _start_workers(self, hub: Hub, address: str) -> None:
        """Make their Job and wait until all are ready. Raises NotRun."""
        uid = await asyncio.to_thread(self._cluster.job_uid, self._namespace, self._run.name)
        job = run_manifests.workers(self._run, self._namespace, uid, address)
        await asyncio.to_thread(self._cluster.create_job, job)
        wanted = self._run.scenario.workers.number
        deadline = time.monotonic() + self._run.scenario.workers.start_seconds
        while len(hub.ready) < wanted:
            if hub.lost or time.monotonic() > deadline:
                said = await self._said()
                raise NotRun(
                    ReasonCode.WORKER_LOST,
                    f"{len(hub.ready)} of {wanted} workers were ready in time: {said}",
                )
            self._tell({"phase": "starting workers", "ready": len(hub.ready), "workers": wanted})
            await asyncio.sleep(1)

    async def _said(self) -> str:
        """What the workers' pods say of themselves."""
        name = run_manifests.workers_name(self._run.name)
        try:
            pods = await asyncio.to_thread(
                self._cluster.pods, self._namespace, f"batch.kubernetes.io/job-name={name}"
            )
        except ClusterError as error:
            return str(error)
        return (
            "; ".join(
                f"{pod.name} {'is ending' if pod.ending else pod.phase} {pod.message}".strip()
                for pod in pods
            )
            or "they are gone"
        )

    async def _load(self, hub: Hub, watch: Watch) -> None:
        load = self._run.scenario.load
        hub.begin()
        self._began, self._zero = time.time(), time.monotonic()
        self.result.started = assemble.utc(self._began)
        watch.clock = self._second
        looking = asyncio.create_task(every_second(watch.look))
        # A request that begins at the latest moment connects, and then waits for its answer.
        latest = load.end + 2 * self._run.scenario.timeout_seconds + END_SECONDS
        told = 0
        try:
            while not hub.over and self._second() < latest:
                await asyncio.sleep(PERIOD_SECONDS)
                second = hub.second(told)
                if second is None:
                    continue
                told += 1
                ready = watch.replicas[-1].ready if watch.replicas else 0
                self._tell(assemble.progress(second, load.end, ready))
        finally:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking
        if hub.lost:
            said = await self._said()
            hub.lost = {index: f"{text} ({said})" for index, text in hub.lost.items()}

    def _note_workers(self, hub: Hub, reasons: list[Reason]) -> None:
        result = self.result
        for index in sorted(hub.done):
            word = hub.done[index]
            result.rise += word.rise
            result.hold += word.hold
            result.drain = max(result.drain, word.drain)
            result.losses += word.losses
            result.workers.append(word.facts)
        if hub.ready:
            for index in range(self._run.scenario.workers.number):
                if index not in hub.done:
                    text = hub.lost.get(index, "it did not come to its end")
                    reasons.append(
                        Reason(code=ReasonCode.WORKER_LOST, text=f"worker {index}: {text}")
                    )

    async def _after(self, watch: Watch, target: Target, reasons: list[Reason]) -> None:
        self._tell({"phase": "reading counters"})
        end = time.time()
        result = self.result
        counts = result.all.counts
        if counts.timed_out or counts.reset:
            await asyncio.sleep(SETTLE_SECONDS)
        await watch.look()
        result.pods = await watch.after()
        result.replicas = watch.replicas
        reasons += [Reason(code=ReasonCode.COUNTS_MISSING, text=t) for t in watch.problems]
        if result.target is not None:
            result.target.artifact_sha256 = watch.sha256
        address = self._run.scenario.prometheus
        if address is not None and await asyncio.to_thread(prometheus.answers, address):
            self._tell({"phase": "asking Prometheus"})
            await asyncio.sleep(SCRAPE_SECONDS)
            span = prometheus.Span(self._began, end)
            model = self._run.scenario.target.model
            result.prometheus = await asyncio.to_thread(
                prometheus.series, address, model, target.namespace, target.name, span
            )
