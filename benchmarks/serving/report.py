"""result.json as a page that a person reads. Pure: a result in, Markdown out."""

from collections.abc import Iterable, Sequence

from benchmarks.serving.results import BenchResult, ModelResult, Target

_LEVEL_HEAD = (
    "connections", "req/s", "of raw", "by CPU time", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms",
    "max ms", "above direct ms", "answers", "not 200", "failed", "settled s", "server core",
    "client core",
)  # fmt: skip
_LEVELS_MEAN = (
    "Rates and ratios are medians over the windows; percentiles are over all latencies. *By CPU "
    "time*: requests per CPU second of the server, by texts per CPU second of the raw pipeline, "
    "which other work on the machine hardly moves. *Settled*: "
    "the longest time until every connection had its first answer; windows begin after it. "
    "*Server core*: the least share of its core "
    "that the server got; well below 100 % under load, something else ran there."
)


def markdown(result: BenchResult) -> str:
    """The whole page."""
    parts = [
        "# HTTP against the raw model",
        _facts(result),
        "## Targets",
        table(
            ("model", "target", "measured", "bound", "result"),
            (
                (
                    target.model,
                    target.name,
                    number(target),
                    f"{target.relation} {target.bound:g}{_unit(target)}",
                    "pass" if target.passed else "**miss**",
                )
                for target in result.targets
            ),
        ),
    ]
    for model in result.models:
        parts += [f"## {model.model}", _model_facts(model), _levels(model), _LEVELS_MEAN]
    parts += [
        "## The client's ceiling",
        "The same client against an application that answers at once, on the server's core. "
        "A service near these rates would measure the client.",
        table(
            ("connections", "req/s", "p50 ms", "client core"),
            (
                (
                    ceiling.connections,
                    f"{ceiling.requests_per_s:.0f}",
                    f"{ceiling.p50_ms:.2f}",
                    f"{ceiling.client_cpu:.0%}",
                )
                for ceiling in result.ceilings
            ),
        ),
    ]
    return "\n\n".join(parts) + "\n"


def target_line(target: Target) -> str:
    """One line for the terminal: pass or miss, number and bound."""
    verdict = "pass" if target.passed else "MISS"
    return (
        f"{verdict}  {target.model}: {target.name}: {number(target)}"
        f" ({target.relation} {target.bound:g}{_unit(target)})"
    )


def number(target: Target) -> str:
    """The value, with decimals only where it has them."""
    value = target.value
    text = f"{value:.0f}" if value == int(value) and not target.unit else f"{value:.3f}"
    return text + _unit(target)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def _unit(target: Target) -> str:
    return f" {target.unit}" if target.unit else ""


def _facts(result: BenchResult) -> str:
    machine = result.machine
    packages = ", ".join(f"{name} {version}" for name, version in machine.packages.items())
    loads = [
        "unknown" if load is None else f"{load:.2f}"
        for load in (result.load_average_before, result.load_average_after)
    ]
    settings = ", ".join(f"{name}={value}" for name, value in result.settings.items())
    lines = [
        f"Commit {result.commit}, {result.started}, {result.seconds:.0f} s"
        + (", short windows (--quick)" if result.quick else "")
        + (f", settings {settings}" if settings else ""),
        f"{machine.cpu}, {machine.cores} cores, {machine.system} {machine.kernel} "
        f"{machine.architecture}, Python {machine.python}, {packages}",
        f"{result.pinning.note} Load average before {loads[0]}, after {loads[1]}.",
    ]
    return "\n".join(f"- {line}" for line in lines)


def _model_facts(model: ModelResult) -> str:
    answers, effect = model.answers, model.batch_effect
    furthest = answers.largest_difference
    lines = [
        f"Version {model.version} ({model.kind}, sha256 {model.sha256[:12]}), `{model.request}`, "
        f"ready after {model.ready_seconds:.1f} s",
        f"Raw: {model.raw_docs_per_s:.0f} texts/s in batches of {model.batch_size} over "
        f"{model.texts} texts (the engine as served {model.engine_docs_per_s:.0f}); "
        f"one text alone {model.direct_ms:.2f} ms",
        f"Answers: {answers.checked} checked on {answers.distinct_texts} texts, "
        f"{answers.mismatches} unlike the raw pipeline's, {answers.near_ties} near ties"
        + (f", scores at most {furthest:.5f} away" if furthest is not None else ""),
        f"The model itself, a text alone against the same text in a batch: scores at most "
        f"{effect.largest_difference:.5f} away, {effect.label_changes} of {effect.texts} labels "
        "change",
    ]
    lines += [f"Mismatch: {example}" for example in answers.examples]
    for level in model.levels:
        lines += [f"{level.connections} connections: {why}" for why in level.failure_reasons]
    return "\n".join(f"- {line}" for line in lines)


def _levels(model: ModelResult) -> str:
    rows = []
    for level in model.levels:
        latency = level.latency_ms
        quantiles = (latency.p50, latency.p90, latency.p99, latency.p99_9, latency.max)
        answers = sum(level.statuses.values())
        shares = [window.server_cpu for window in level.windows if window.server_cpu is not None]
        client = max(window.client_cpu for window in level.windows)
        rows.append(
            (
                level.connections,
                f"{level.requests_per_s:.0f}",
                f"{level.ratio:.3f}",
                "" if level.cpu_ratio is None else f"{level.cpu_ratio:.3f}",
                *(f"{value:.2f}" for value in quantiles),
                f"{level.added_ms:+.2f}",
                answers,
                answers - level.statuses.get(200, 0),
                level.failures,
                f"{max(window.settle_seconds for window in level.windows):.2f}",
                f"{min(shares):.0%}" if shares else "",
                f"{client:.0%}",
            )
        )
    return table(_LEVEL_HEAD, rows)
