"""Runs of a steady load during which the target is disturbed: `python -m loadtest rollout`."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from loadtest import manifests
from loadtest.attempt import Attempt, Watcher, told
from loadtest.cluster import Cluster
from loadtest.disruptions import KINDS, Disturbance, ScaleDown
from loadtest.objects import Target
from loadtest.spec import RolloutSpec
from loadtest.verdicts import judge
from nlpserve.load_results import Disruption, Run


class Interrupted(KeyboardInterrupt):
    """Ctrl-C within a run, which has been cleaned up."""

    def __init__(self, left: list[str]) -> None:
        """`left` is what could not be undone."""
        super().__init__()
        self.left = left


@dataclass(frozen=True)
class Titled:
    """Says which run it is."""

    watcher: Watcher
    title: str

    def show(self, what: str, sent: int, requests: int) -> None:
        """As the watcher's."""
        self.watcher.show(f"{self.title}: {what}", sent, requests)


@dataclass
class Runner:
    """All runs of a spec against one target."""

    cluster: Cluster
    spec: RolloutSpec
    target: Target
    watcher: Watcher
    kinds: tuple[type[Disturbance], ...] = KINDS

    def runs(self) -> Iterator[Run]:
        """Each disruption, as often as asked for."""
        for repeat in range(1, self.spec.repeat + 1):
            for kind in self.spec.disruptions:
                yield self.run(kind, repeat)

    def run(self, kind: Disruption, repeat: int) -> Run:
        """One load with one disruption. Whatever happens, the Job goes and the target is whole."""
        target = self.cluster.target(self.target)
        made = next(entry for entry in self.kinds if entry.kind is kind)
        disturbance = made(self.cluster, target, self.spec.settle_seconds)
        if isinstance(disturbance, ScaleDown):
            disturbance.scale_from = self.spec.scale_from
        port = self.cluster.service_port(target.namespace, target.name)
        load = self.spec.load(f"http://{target.name}.{target.namespace}.svc:{port}")
        watcher = Titled(self.watcher, f"{kind} {repeat}/{self.spec.repeat}")
        attempt = Attempt(self.cluster, self.spec, watcher, disturbance, load)
        problems: list[str] = []
        name = manifests.name("load", self.spec.model, kind, secrets.token_hex(3))
        try:
            with told(problems):
                attempt.go(name, problems)
        except KeyboardInterrupt:
            raise Interrupted(problems) from None
        verdict, reasons = judge(
            attempt.counted,
            attempt.disrupted,
            requests=load.requests,
            rate=load.rate,
            timeout_seconds=load.timeout_seconds,
            problems=problems,
        )
        return Run(
            disruption=kind,
            repeat=repeat,
            requests=load.requests,
            rate=load.rate,
            load=attempt.counted,
            disrupted=attempt.disrupted,
            verdict=verdict,
            reasons=reasons,
        )
