"""Names that queries use: the service's own, and in one list those of others."""

from enum import StrEnum
from typing import Final

from nlpserve import load_metrics as load
from nlpserve import metrics as own


class Foreign(StrEnum):
    """Metrics that the service does not export. Each comment names who does."""

    # kube-state-metrics
    REPLICAS_WANTED = "kube_deployment_spec_replicas"
    REPLICAS_READY = "kube_deployment_status_replicas_ready"
    SCALER_LEAST = "kube_horizontalpodautoscaler_spec_min_replicas"
    SCALER_MOST = "kube_horizontalpodautoscaler_spec_max_replicas"
    SCALER_DESIRED = "kube_horizontalpodautoscaler_status_desired_replicas"
    SCALER_METRIC = "kube_horizontalpodautoscaler_status_target_metric"
    SCALER_TARGET = "kube_horizontalpodautoscaler_spec_target_metric"
    RESTARTS = "kube_pod_container_status_restarts_total"
    # cAdvisor, in the kubelet
    CPU_SECONDS = "container_cpu_usage_seconds_total"
    CPU_QUOTA = "container_spec_cpu_quota"
    CPU_PERIOD = "container_spec_cpu_period"
    CPU_PERIODS = "container_cpu_cfs_periods_total"
    CPU_THROTTLED = "container_cpu_cfs_throttled_periods_total"
    MEMORY = "container_memory_working_set_bytes"
    MEMORY_LIMIT = "container_spec_memory_limit_bytes"
    # Prometheus itself
    ALERTS = "ALERTS"


class Recorded(StrEnum):
    """What the rules of the release record for each model."""

    AVAILABILITY = "nlpserve:availability_objective:ratio"
    LATENCY = "nlpserve:latency_objective:ratio"
    QUEUE_LIMIT = "nlpserve:queue_limit:texts"
    CAPACITY = "nlpserve:pod_capacity:texts_per_second"
    DEPLOYMENT = "nlpserve:deployment:info"


REQUESTS: Final = f"{own.REQUESTS}_total"
REJECTED: Final = f"{own.REJECTED}_total"
BATCHES: Final = f"{own.BATCHES}_total"
PREDICTIONS: Final = f"{own.PREDICTIONS}_total"
LOG_DROPPED: Final = f"{own.PREDICTION_LOG_DROPPED}_total"

LOAD_REQUESTS: Final = f"{load.REQUESTS}_total"
LOAD_LATENCY: Final = load.LATENCY

SERVED: Final = 'namespace=~"$namespace",model=~"$model"'
"""What the service reports for the models that are looked at."""
SCALED: Final = 'namespace=~"$namespace",deployment=~"$workload"'
"""Their Deployments."""
SCALERS: Final = 'namespace=~"$namespace",horizontalpodautoscaler=~"($workload)(-keda)?"'
"""Their autoscalers, which the chart calls as the Deployments are called, KEDA's with -keda."""
PODS: Final = 'namespace=~"$namespace",pod=~"($workload)-[a-z0-9]+-[a-z0-9]{5}"'
"""Their pods."""
CANARY_POD: Final = ".+-canary-[a-z0-9]+-[a-z0-9]{5}"
CONTAINERS: Final = f'{PODS},container="server"'
"""What serves in these."""
MODEL: Final = ("namespace", "model")
"""What tells models apart: those of two namespaces may have one name."""
NAME: Final = "{{namespace}} {{model}}"
"""Its legend."""
EACH_MODEL: Final = ", ".join(MODEL)
LOADED: Final = 'scenario=~"$scenario",run=~"$run"'
"""What generators report, in whichever namespace they are."""


def recorded(rule: Recorded, default: float) -> str:
    """What a model's release records, for each; the default where it records nothing."""
    known = f"max by ({EACH_MODEL}) ({rule}{{{SERVED}}})"
    return f"({known} or 0 * count by ({EACH_MODEL}) ({own.MODEL_INFO}{{{SERVED}}}) + {default})"


def rate(metric: str, *labels: str, where: str = "", window: str = "$__rate_interval") -> str:
    """Sum of a counter's rate, by labels."""
    matchers = ",".join(filter(None, (SERVED, where)))
    return f"sum by ({', '.join(labels)}) (rate({metric}{{{matchers}}}[{window}]))"


def tracked(metric: str, *labels: str, where: str = "", window: str = "$__rate_interval") -> str:
    """The same, and by `track`: the chart names a canary's pods after it."""
    matchers = ",".join(filter(None, (SERVED, where)))
    each = f'label_replace(rate({metric}{{{matchers}}}[{window}]), "track", "stable", "", "")'
    each = f'label_replace({each}, "track", "canary", "pod", "{CANARY_POD}")'
    return f"sum by ({', '.join((*labels, 'track'))}) ({each})"


def quantile(share: float, metric: str, *labels: str) -> str:
    """A histogram's quantile, by labels."""
    return f"histogram_quantile({share}, {rate(f'{metric}_bucket', 'le', *labels)})"


def mean(metric: str, *labels: str) -> str:
    """Mean of what a histogram counted, by labels."""
    return f"{rate(f'{metric}_sum', *labels)} / {rate(f'{metric}_count', *labels)}"
