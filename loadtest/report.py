"""Results as Markdown. Pure: a result in, text out."""

from nlpserve.load_results import RolloutResult, Run

HEAD = (
    "disruption", "run", "sent", "answered", "lost", "pods gone", "sent during it", "seconds",
    "requests/s", "slowest answer s", "verdict",
)  # fmt: skip


def table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    """A table in Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def rollout(result: RolloutResult) -> str:
    """The page beside the JSON."""
    reasons = [
        f"- {run.disruption} {run.repeat}: {reason}"
        for run in result.runs
        for reason in run.reasons
    ]
    parts = [
        f"# {result.target.model}: {result.verdict}",
        facts(result),
        table(HEAD, [row(run) for run in result.runs]),
        *(["\n".join(reasons)] if reasons else []),
        "Lost is every request without the right answer. Half of them go on kept connections, half"
        " on a new one each.",
    ]
    return "\n\n".join(parts) + "\n"


def row(run: Run) -> tuple[object, ...]:
    """One run."""
    load, disrupted = run.load, run.disrupted
    total = load.total if load else None
    return (
        run.disruption,
        run.repeat,
        total.sent if total else "?",
        total.answered if total else "?",
        total.lost if total else "?",
        f"{disrupted.pods_gone} of {disrupted.pods_before}" if disrupted else "?",
        disrupted.sent_after - disrupted.sent_before if disrupted else "?",
        f"{disrupted.seconds:.0f}" if disrupted else "?",
        f"{total.sent / load.seconds:.0f}" if total and load else "?",
        f"{load.slowest_answer:.2f}" if load else "?",
        run.verdict,
    )


def facts(result: RolloutResult) -> str:
    """Where and what."""
    target, cluster = result.target, result.cluster
    node = cluster.nodes[0] if cluster.nodes else None
    on = f"{node.cpus} CPUs ({node.system}, {node.runtime})" if node else "unknown CPUs"
    pause = "none" if target.pre_stop_seconds is None else f"{target.pre_stop_seconds:g} s"
    return (
        f"Commit {result.commit}, {result.started}, Kubernetes {cluster.version},"
        f" {len(cluster.nodes) or 'unknown'} node(s) with {on},"
        f" load average at the begin {result.load_average}."
        f" Image {target.image}; pause before SIGTERM {pause}, grace period"
        f" {target.grace_seconds} s; {result.clients} clients, timeout"
        f" {result.timeout_seconds:g} s."
    )
