"""How often the container reached its CPU limit, by the kernel's own count."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from nlpserve import metrics as names
from nlpserve.cgroup import throttling


class ThrottlingCollector(Collector):
    """Nothing where there is no limit: a zero would say that it was never reached."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Join the registry."""
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Read at each scrape."""
        found = throttling()
        if found.periods:
            yield CounterMetricFamily(
                names.CPU_PERIODS, "Periods of the CPU limit in which it ran.", found.periods
            )
            yield CounterMetricFamily(
                names.CPU_THROTTLED_PERIODS,
                "Periods in which it was stopped at its CPU limit.",
                found.throttled,
            )
