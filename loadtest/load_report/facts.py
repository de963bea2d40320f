"""Where a result comes from, as names and values. Pure."""

from collections import Counter

from loadtest.load_report import words
from nlpserve.load_tests import LoadTestResult, TargetState


def facts(result: LoadTestResult) -> dict[str, str]:
    """All that a reader needs to make the run again."""
    found = {
        "started": result.started,
        "took": words.duration(result.seconds),
        "nlpserve": f"{result.version}, commit {result.commit}",
        "run": result.run,
        "load image": result.load_image,
    }
    if result.target is not None:
        found |= _target(result.target)
    digests = sorted({pod.image_digest for pod in result.pods if pod.image_digest})
    if digests:
        found["image digest, as the nodes say"] = ", ".join(digests)
    if result.cluster is not None:
        found["Kubernetes"] = result.cluster.version
        for node, number in Counter(map(_node, result.cluster.nodes)).items():
            found[f"{number} node(s)"] = node
    if result.load_average is not None:
        found["load average before"] = f"{result.load_average:g}"
    return found


def _node(node: object) -> str:
    names = ("cpus", "memory", "system", "kernel", "runtime", "kubelet")
    units = {"cpus": "CPUs ", "memory": "memory ", "kernel": "kernel ", "kubelet": "kubelet "}
    return ", ".join(f"{units.get(name, '')}{getattr(node, name)}" for name in names)


def _target(target: TargetState) -> dict[str, str]:
    resources = "; ".join(
        f"{kind} {', '.join(f'{name} {amount}' for name, amount in amounts.items())}"
        for kind, amounts in target.resources.items()
    )
    settings = ", ".join(f"{name}={value}" for name, value in target.environment.items())
    return {
        "model": f"{target.model} {target.model_version}",
        "artifact SHA-256": target.artifact_sha256 or "unknown",
        "target": f"{target.url}, Deployment {target.namespace}/{target.deployment}",
        "release": target.release,
        "image": target.image,
        "chart values SHA-256 (pod template)": target.values_hash,
        "resources": resources or "none set",
        "settings": settings or "defaults",
        "autoscaler": target.autoscaler or "none",
    }


def headline(result: LoadTestResult) -> dict[str, str]:
    """The numbers that people ask for first, of the hold."""
    achieved, hold = result.achieved, result.hold
    users = achieved.intended_users if achieved else None
    p50, p99 = hold.intended.percentiles((50, 99))
    everything = result.all.counts
    return {
        "users" if users is not None else "sent": words.count(users)
        if users is not None
        else words.rate(achieved.sent_rate if achieved else None),
        "answered": words.rate(achieved.answered_rate if achieved else None),
        "failed": words.count(everything.lost),
        "median": words.duration(p50),
        "p99": words.duration(p99),
        "held": words.duration(hold.seconds),
    }
