"""`python -m loadtest run` on the user's side: make the coordinator, watch it, collect, delete."""

import secrets
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import orjson

from loadtest import delivery, manifests, run_manifests, signals
from loadtest.attempt import HOPELESS
from loadtest.cluster import Cluster, ClusterError
from loadtest.commit import commit
from loadtest.coordinator import assemble
from loadtest.messages import Run
from loadtest.objects import Pod
from loadtest.protocol import PROGRESS
from loadtest.spec import SpecError
from loadtest.target import find_model
from nlpserve.load_scenarios import Scenario
from nlpserve.load_tests import LoadTestResult, Reason, ReasonCode

PERIOD_SECONDS: Final = 1.0
START_SECONDS: Final = 120.0
"""Longest time until the coordinator's pod is there."""
SPARE_SECONDS: Final = 60.0
GONE_SECONDS: Final = 90.0
TOKEN_BYTES: Final = 3


class Watcher(Protocol):
    """Who is told how far a run is."""

    def show(self, progress: dict[str, Any]) -> None:
        """Called about once a second with what the coordinator said last."""


class Lost(Exception):
    """The coordinator did not come to its end."""


@dataclass
class Runner:
    """One run in one cluster."""

    cluster: Cluster
    scenario: Scenario
    texts: str | None
    namespace: str
    """Where the pods of the load run."""
    image: str
    watcher: Watcher
    keep: bool = False
    run: Run = field(init=False)

    def __post_init__(self) -> None:
        """Names are made here, so that nothing is made twice."""
        target = self.scenario.target
        namespace = target.namespace or self.cluster.namespace
        known = target.model_copy(update={"namespace": namespace})
        self.scenario = self.scenario.model_copy(update={"target": known})
        folder, file = run_manifests.TEXTS_FOLDER, run_manifests.TEXTS_FILE
        self.run = Run(
            name=run_manifests.run_name(self.scenario.name, secrets.token_hex(TOKEN_BYTES)),
            scenario=self.scenario,
            commit=commit(),
            image=self.image,
            texts_file=None if self.texts is None else f"{folder}/{file}",
        )

    def check(self) -> None:
        """What can be known before anything is made. Raises SpecError, ClusterError."""
        find_model(self.cluster, self.scenario.target, self.cluster.namespace)
        account = run_manifests.ACCOUNT
        if not self.cluster.has_account(self.namespace, account):
            raise SpecError(
                f"no service account {account} in the namespace {self.namespace}: make it with"
                " `kubectl apply -k k8s/loadtest`, or name another namespace (--load-namespace)"
            )

    def manifests(self) -> list[dict[str, Any]]:
        """What `kubectl apply` needs to make the same run."""
        made = [run_manifests.coordinator(self.run, self.namespace)]
        if self.texts is not None:
            made.append(run_manifests.texts(self.run, self.namespace, None, self.texts))
        return made

    def go(self) -> LoadTestResult:
        """The result, whatever happens; nothing stays in the cluster unless it is to be kept."""
        began = time.monotonic()
        with ExitStack() as cleanup:
            if not self.keep:
                cleanup.callback(self.clean)
            try:
                self._make()
                result = self._collect(self._wait())
            except (Lost, ClusterError, delivery.NotDelivered) as error:
                result = self._lost(str(error))
        result.seconds = round(time.monotonic() - began, 1)
        return result

    def _make(self) -> None:
        self.watcher.show({"phase": "starting the coordinator"})
        self.cluster.create_job(run_manifests.coordinator(self.run, self.namespace))
        if self.texts is not None:
            uid = self.cluster.job_uid(self.namespace, self.run.name)
            self.cluster.create_texts(
                run_manifests.texts(self.run, self.namespace, uid, self.texts)
            )

    def _wait(self) -> Pod:
        """Until the coordinator ended; its pod. Raises Lost, ClusterError."""
        began = time.monotonic()
        latest = began + run_manifests.deadline(self.run) + SPARE_SECONDS
        while time.monotonic() < latest:
            state = self.cluster.job_state(self.namespace, self.run.name)
            if state.failure is not None:
                raise Lost(f"the coordinator failed: {state.failure}")
            if state.succeeded and state.pod is not None:
                return state.pod
            pod = state.pod
            if pod is not None and pod.message.startswith(HOPELESS):
                raise Lost(f"{pod.message.strip()} (is the load image there? `make load-image`)")
            if pod is None and time.monotonic() > began + START_SECONDS:
                raise Lost("the coordinator's pod was never made")
            if pod is not None:
                for line in self.cluster.last_lines(pod, 1):
                    if line.startswith(PROGRESS):
                        self.watcher.show(orjson.loads(line.removeprefix(PROGRESS)))
            time.sleep(PERIOD_SECONDS)
        raise Lost("the run did not end in time")

    def _collect(self, pod: Pod) -> LoadTestResult:
        result = delivery.read(self.cluster.whole_log(pod))
        if result.cluster is None or not result.cluster.nodes:
            result.cluster = self.cluster.facts()  # the user may see nodes, the coordinator not
        return result

    def _lost(self, text: str) -> LoadTestResult:
        """A result that says why there is none."""
        result = LoadTestResult(**assemble.frame(self.run, time.time()))
        return assemble.judged(result, [Reason(code=ReasonCode.NOT_RUN, text=text)])

    def clean(self) -> None:
        """Delete all that belongs to the run, and wait until its pods are gone."""
        signals.whole(clean, self.cluster, self.namespace, self.run.name)


def clean(cluster: Cluster, namespace: str, run: str) -> None:
    """Delete one run. Raises ClusterError when something stays."""
    cluster.delete_job(namespace, run)
    cluster.delete_job(namespace, run_manifests.workers_name(run))
    cluster.delete_texts(namespace, run)
    deadline = time.monotonic() + GONE_SECONDS
    selector = f"{manifests.RUN_LABEL}={run}"
    while cluster.pods(namespace, selector):
        if time.monotonic() > deadline:
            raise ClusterError(f"pods of {run} are still there after {GONE_SECONDS:.0f} s")
        time.sleep(PERIOD_SECONDS)


def orphans(cluster: Cluster, namespace: str, *, everything: bool = False) -> list[tuple[str, str]]:
    """Runs that are over or whose coordinator is gone, and of which something is left.

    As namespace and name: those here, and pods elsewhere that were pinned for a load from here, as
    far as one may see them.
    """
    managers = (run_manifests.RUN_PART[manifests.MANAGED_BY], manifests.ALONE)
    jobs = cluster.jobs(namespace, f"{manifests.MANAGED_BY} in ({', '.join(managers)})")
    jobs += cluster.jobs_anywhere(f"{manifests.LOAD_NAMESPACE_LABEL}={namespace}")
    found: dict[tuple[str, str], bool] = {}
    for job in jobs:
        meta = job["metadata"]
        run = (meta["namespace"], meta["labels"].get(manifests.RUN_LABEL, meta["name"]))
        active = meta["name"] == run[1] and bool(job.get("status", {}).get("active"))
        found[run] = found.get(run, False) or active
    return sorted(run for run, active in found.items() if everything or not active)
