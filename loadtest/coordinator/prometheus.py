"""What Prometheus saw meanwhile. A run goes on without it."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple

from nlpserve import metrics
from nlpserve.load_tests import Series

TIMEOUT_SECONDS: Final = 10
MOST_POINTS: Final = 300
WINDOW: Final = "30s"
Fetch = Callable[[str], bytes]


class Query(NamedTuple):
    """One question; $m stands for the model's labels, $p for its pods'."""

    name: str
    unit: Literal["s", "texts", "cores", "1/s"]
    text: str


def _quantile(share: float, metric: str) -> str:
    return f"histogram_quantile({share}, sum by (le) (rate({metric}_bucket{{$m}}[{WINDOW}])))"


def _mean(metric: str) -> str:
    top, low = (f"sum(rate({metric}_{part}{{$m}}[{WINDOW}]))" for part in ("sum", "count"))
    return f"{top} / {low}"


QUERIES: Final = (
    Query("queue_wait_p50", "s", _quantile(0.5, metrics.QUEUE_WAIT)),
    Query("queue_wait_p99", "s", _quantile(0.99, metrics.QUEUE_WAIT)),
    Query("batch_size", "texts", _mean(metrics.BATCH_SIZE)),
    Query("batch_seconds", "s", _mean(metrics.BATCH_DURATION)),
    Query("in_flight", "texts", f"sum by (pod) ({metrics.IN_FLIGHT}{{$m}})"),
    Query("requests", "1/s", f"sum by (code) (rate({metrics.REQUESTS}_total{{$m}}[{WINDOW}]))"),
    Query(
        "cpu", "cores",
        f"sum by (pod) (rate(container_cpu_usage_seconds_total{{$p}}[{WINDOW}]))",
    ),
)  # fmt: skip


def fetch(url: str) -> bytes:
    """GET. Raises OSError."""
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310  http alone
        content: bytes = answer.read()
    return content


def answers(address: str, get: Fetch = fetch) -> bool:
    """Whether it is there."""
    try:
        get(f"{address}/-/ready")
    except (OSError, ValueError):
        return False
    return True


class Span(NamedTuple):
    """From when to when, in Unix time."""

    begin: float
    end: float


def series(
    address: str, model: str, namespace: str, deployment: str, span: Span, *, get: Fetch = fetch
) -> list[Series]:
    """All of them. Nothing more once it does not answer."""
    begin, end = span
    labels = f'model="{model}",namespace="{namespace}"'
    pods = f'namespace="{namespace}",container="server",pod=~"{deployment}-.*"'
    step = max(1, round((end - begin) / MOST_POINTS))
    found: list[Series] = []
    for query in QUERIES:
        text = query.text.replace("$m", labels).replace("$p", pods)
        words = urllib.parse.urlencode(
            {"query": text, "start": f"{begin:.3f}", "end": f"{end:.3f}", "step": step}
        )
        try:
            content = json.loads(get(f"{address}/api/v1/query_range?{words}"))
            rows: list[dict[str, Any]] = content["data"]["result"]
        except (OSError, ValueError, KeyError, TypeError, urllib.error.URLError):
            return found
        found += [
            Series(
                name=query.name,
                unit=query.unit,
                query=text,
                labels=row["metric"],
                points=[
                    (round(at - begin, 3), float(value))
                    for at, value in row["values"]
                    if value not in {"NaN", "+Inf", "-Inf"}
                ],
            )
            for row in rows
        ]
    return found
