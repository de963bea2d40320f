"""Whether two results can be compared at all, and what was not the same. Pure."""

from collections import Counter
from typing import Final

from nlpserve.load_results import ClusterFacts, Verdict
from nlpserve.load_tests import LoadTestResult

LIKE: Final = ("load", "texts", "connections", "timeout_seconds", "expected")
"""Parts of the scenario that make two loads the same."""


def obstacles(a: LoadTestResult, b: LoadTestResult) -> list[str]:
    """Why it would mean nothing; none when it can be done."""
    found = []
    for name, result in (("A", a), ("B", b)):
        if result.verdict is Verdict.INVALID:
            found.append(f"{name} is INVALID: {'; '.join(r.text for r in result.reasons)}")
        elif not result.hold.counts.answered:
            found.append(f"{name} has no answer in its hold")
        elif not any(second.latency.counts for second in result.timeline):
            found.append(f"{name} was shortened: its seconds have no latencies")
    found += [
        f"the scenarios differ in {part}"
        for part in LIKE
        if getattr(a.scenario, part) != getattr(b.scenario, part)
    ]
    for part in ("model", "route"):
        mine, theirs = getattr(a.scenario.target, part), getattr(b.scenario.target, part)
        if mine != theirs:
            found.append(f"A loads the {part} {mine}, B {theirs}")
    if a.scenario.workers.number != b.scenario.workers.number:
        found.append("the scenarios differ in the number of workers")
    if a.cluster and b.cluster and _nodes(a.cluster) != _nodes(b.cluster):
        found.append(f"the nodes differ: CPUs {_nodes(a.cluster)} and {_nodes(b.cluster)}")
    return found


def _nodes(cluster: ClusterFacts) -> list[str]:
    return sorted(node.cpus for node in cluster.nodes)


def differences(a: LoadTestResult, b: LoadTestResult) -> list[str]:
    """What may explain a change."""
    mine, theirs = _facts(a), _facts(b)
    return [
        f"{name}: {mine.get(name, 'unknown')} → {theirs.get(name, 'unknown')}"
        for name in Counter([*mine, *theirs])
        if mine.get(name) != theirs.get(name)
    ]


def _facts(result: LoadTestResult) -> dict[str, str]:
    found = {"nlpserve": result.version, "commit": result.commit, "load image": result.load_image}
    digests = sorted({pod.image_digest for pod in result.pods if pod.image_digest})
    found |= {"image digest": ", ".join(digests), "pods": str(len(result.pods))}
    if result.target is not None:
        target = result.target
        found |= {
            "image": target.image,
            "model version": target.model_version,
            "artifact": target.artifact_sha256,
            "chart values": target.values_hash,
            "autoscaler": target.autoscaler or "none",
        }
    if result.cluster is not None:
        found["Kubernetes"] = result.cluster.version
    return found
