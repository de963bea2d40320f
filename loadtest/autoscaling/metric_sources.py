"""Where the autoscaler's numbers come from: Prometheus through KEDA, with its fallback."""

from dataclasses import dataclass

from loadtest.autoscaling.pods import Pods
from nlpserve.autoscaling import Keda


@dataclass
class KedaMetric:
    """KEDA's external metric: the sum over all pods of their average in the window."""

    settings: Keda
    failures: int = 0
    """In a row."""
    _cached: int | None = None
    _polled: float = float("-inf")

    @property
    def target(self) -> int:
        """Thousandths of a text in flight for each pod."""
        return round(self.settings.in_flight * 1000)

    def poll(self, now: float, pods: list[Pods], current: int, *, up: bool, asked: bool) -> None:
        """KEDA's own loop. It queries only what the autoscaler does not ask for itself."""
        if now - self._polled < self.settings.polling_interval - 1e-9:
            return
        self._polled = now
        if self.settings.use_cached_metrics or not asked:
            self._cached = self._query(now, pods, current, up=up)

    def ask(self, now: float, pods: list[Pods], current: int, *, up: bool) -> int | None:
        """In thousandths, when the autoscaler asks; None while there is no answer at all."""
        if self.settings.use_cached_metrics:
            return self._cached
        return self._query(now, pods, current, up=up)

    def _query(self, now: float, pods: list[Pods], current: int, *, up: bool) -> int | None:
        seen = in_flight(now, pods, self.settings.window_seconds) if up else None
        if seen is not None:
            self.failures = 0
            return round(seen * 1000)
        self.failures += 1
        fallback = self.settings.fallback
        if fallback is None or self.failures <= fallback.failure_threshold:
            return None
        replicas = {
            "static": fallback.replicas,
            "currentReplicas": current,
            "currentReplicasIfHigher": max(current, fallback.replicas),
            "currentReplicasIfLower": min(current, fallback.replicas),
        }[fallback.behavior]
        return self.target * replicas


def in_flight(now: float, pods: list[Pods], window: float) -> float | None:
    """sum(avg_over_time(nlpserve_in_flight[window])); pods that are gone count until it has passed.

    None when no pod has a sample: then the query has no result.
    """
    averages = []
    for group in pods:
        samples = [value for second, value in group.scraped if now - window < second <= now]
        if samples:
            averages.append(group.count * sum(samples) / len(samples))
    return sum(averages) if averages else None
