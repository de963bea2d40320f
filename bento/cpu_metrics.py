"""How often the container reached its CPU limit, by the kernel's own count."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, Metric

from nlpserve import metrics as names
from nlpserve.cgroup import throttling


def collect() -> Iterator[Metric]:
    """Read at each scrape; zeros where there is no limit."""
    found = throttling()
    yield CounterMetricFamily(
        names.CPU_PERIODS, "Periods of the CPU limit in which the container ran.", found.periods
    )
    yield CounterMetricFamily(
        names.CPU_THROTTLED_PERIODS,
        "Periods of the CPU limit in which it was stopped.",
        found.throttled,
    )
