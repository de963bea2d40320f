"""Are there as many pods as wanted, and why so many?"""

from typing import Final

from monitoring.dashboards import objectives
from monitoring.dashboards.boards import Board, Row, workloads
from monitoring.dashboards.metrics import CONTAINERS, SCALED, SCALERS, SERVED, Foreign
from monitoring.dashboards.panels import AMBER, RED, TARGET_LEGEND, Chart, Query
from nlpserve import metrics as own

_DEPLOYMENT: Final = "{{deployment}}"
_SCALER: Final = "{{horizontalpodautoscaler}}"
_RATE: Final = "[$__rate_interval]"
_CPU: Final = f"sum by (pod) (rate({Foreign.CPU_SECONDS}{{{CONTAINERS}}}{_RATE}))"
_CPU_LIMIT: Final = (
    f"sum by (pod) ({Foreign.CPU_QUOTA}{{{CONTAINERS}}} / {Foreign.CPU_PERIOD}{{{CONTAINERS}}})"
)
_THROTTLED: Final = (
    f"sum by (pod) (rate({Foreign.CPU_THROTTLED}{{{CONTAINERS}}}{_RATE}))"
    f" / sum by (pod) (rate({Foreign.CPU_PERIODS}{{{CONTAINERS}}}{_RATE}))"
)
_MEMORY: Final = (
    f"sum by (pod) ({Foreign.MEMORY}{{{CONTAINERS}}})"
    f" / sum by (pod) ({Foreign.MEMORY_LIMIT}{{{CONTAINERS}}} > 0)"
)


def _of_scalers(metric: str) -> str:
    return f"{metric}{{{SCALERS}}}"


NOW: Final = Row(
    "Are there as many as wanted?",
    (
        Chart(
            "Pods missing",
            "Wanted and not ready. For more than a minute or two: look at events of the newest pod;"
            " Pending is no room on the nodes, not ready is a start that fails.",
            "short",
            (
                Query(
                    f"sum({Foreign.REPLICAS_WANTED}{{{SCALED}}})"
                    f" - sum({Foreign.REPLICAS_READY}{{{SCALED}}})"
                ),
            ),
            "number",
            width=6,
            height=4,
            steps=((1, AMBER),),
            alert="NlpservePodsMissing",
        ),
        Chart(
            "Nearest to its maximum",
            "Desired pods over maxReplicas, of the fullest autoscaler. At 100 % load can grow no"
            " further: raise autoscaling.maxReplicas, and see that the nodes have room.",
            "percentunit",
            (
                Query(
                    f"max({_of_scalers(Foreign.SCALER_DESIRED)}"
                    f" / {_of_scalers(Foreign.SCALER_MOST)})"
                ),
            ),
            "number",
            width=6,
            height=4,
            steps=((0.8, AMBER), (1, RED)),
            alert="NlpserveAutoscalerAtMaximum",
        ),
        Chart(
            "Throttled, worst pod",
            "Share of CPU periods in which the kernel made it wait. It is the tail of the latency:"
            " raise the CPU limit, or the CPU request towards it.",
            "percentunit",
            (Query(f"max({_THROTTLED})"),),
            "number",
            width=6,
            height=4,
            steps=((objectives.THROTTLED_SHARE, AMBER), (0.5, RED)),
        ),
        Chart(
            "Restarts in the last hour",
            "Of all pods shown. More than none: kubectl logs --previous, and the memory below.",
            "short",
            (Query(f"sum(increase({Foreign.RESTARTS}{{{CONTAINERS}}}[1h]))"),),
            "number",
            width=6,
            height=4,
            steps=((1, RED),),
            alert="NlpservePodRestarts",
        ),
    ),
)

SCALING: Final = Row(
    "Pods and what scales them",
    (
        Chart(
            "Pods wanted and ready",
            "Ready follows wanted within the start of a pod. A gap that stays is a rollout or a"
            " scale-up that is stuck.",
            "short",
            (
                Query(f"{Foreign.REPLICAS_WANTED}{{{SCALED}}}", f"{_DEPLOYMENT} wanted"),
                Query(f"{Foreign.REPLICAS_READY}{{{SCALED}}}", f"{_DEPLOYMENT} ready"),
            ),
            width=12,
            alert="NlpservePodsMissing",
        ),
        Chart(
            "Pods that answer",
            "Counted from the service's own metrics, so also without kube-state-metrics. Fewer than"
            " are ready: Prometheus does not reach them, see the NetworkPolicy.",
            "short",
            (
                Query(
                    f"count by (namespace, model) ({own.MODEL_INFO}{{{SERVED}}})",
                    "{{namespace}} {{model}}",
                ),
            ),
            width=12,
            alert="NlpserveNotScraped",
        ),
        Chart(
            "Desired within bounds",
            "What the autoscaler wants, between its least and most (dashed). Flat on the upper:"
            " raise maxReplicas. Flat on the lower one all week: lower minReplicas.",
            "short",
            (
                Query(_of_scalers(Foreign.SCALER_DESIRED), f"{_SCALER} desired"),
                Query(_of_scalers(Foreign.SCALER_LEAST), f"{_SCALER} least {TARGET_LEGEND}"),
                Query(_of_scalers(Foreign.SCALER_MOST), f"{_SCALER} most {TARGET_LEGEND}"),
            ),
            width=12,
            alert="NlpserveAutoscalerAtMaximum",
        ),
        Chart(
            "The scaler's metric of its target",
            "Above 100 % pods are added, below they go after five minutes. No line: the metric is"
            " missing, so the autoscaler is blind; look at metrics-server, KEDA and Prometheus.",
            "percentunit",
            (
                Query(
                    f"{_of_scalers(Foreign.SCALER_METRIC)} / on (namespace,"
                    " horizontalpodautoscaler, metric_name, metric_target_type)"
                    f" {_of_scalers(Foreign.SCALER_TARGET)}",
                    f"{_SCALER} {{{{metric_name}}}}",
                ),
            ),
            width=12,
            steps=((1, AMBER),),
            alert="NlpserveAutoscalerMetricMissing",
        ),
    ),
)

RESOURCES: Final = Row(
    "What the pods use",
    (
        Chart(
            "CPU of the limit",
            "Steadily at 100 %: the model is out of CPU, and the autoscaler should be adding pods.",
            "percentunit",
            (Query(f"{_CPU} / {_CPU_LIMIT}", "{{pod}}"),),
        ),
        Chart(
            "Throttled",
            "Share of CPU periods in which a pod was made to wait. Above the line the slowest"
            " answers suffer, even when the CPU looks free.",
            "percentunit",
            (Query(_THROTTLED, "{{pod}}"),),
            steps=((objectives.THROTTLED_SHARE, AMBER),),
        ),
        Chart(
            "Memory of the limit",
            "At 100 % the kernel kills the pod. Above the line: raise resources.limits.memory, or"
            " lower limits.maxBodyBytes or batching.queueLimit.",
            "percentunit",
            (Query(_MEMORY, "{{pod}}"),),
            steps=((objectives.MEMORY_SHARE, RED),),
            alert="NlpservePodRestarts",
        ),
    ),
)

BOARD: Final = Board(
    "autoscaling",
    "nlpserve / Autoscaling",
    "Pods wanted and there, the scaler's metric against its target, CPU and throttling.",
    (NOW, SCALING, RESOURCES),
    (workloads(),),
)
