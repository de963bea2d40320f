"""Does work wait, why, and how much more would fit?"""

from typing import Final

from monitoring.dashboards import objectives
from monitoring.dashboards.boards import Board, Row, workloads
from monitoring.dashboards.metrics import (
    BATCHES,
    MODEL,
    NAME,
    REJECTED,
    SCALERS,
    SERVED,
    Foreign,
    Recorded,
    mean,
    quantile,
    rate,
    recorded,
)
from monitoring.dashboards.panels import AMBER, RED, TARGET_LEGEND, Chart, Query
from nlpserve import metrics as own

_BUSY: Final = rate(f"{own.BATCH_DURATION}_sum", *MODEL, "pod")
_LIMIT: Final = recorded(Recorded.QUEUE_LIMIT, objectives.QUEUE_LIMIT)
_FLYING: Final = f"{own.IN_FLIGHT}{{{SERVED}}}"
_FLYING_MEAN: Final = f"avg_over_time({_FLYING}[$__rate_interval])"
_SHED: Final = 'reason=~"queue_full|deadline|expired|open_bodies"'
_BY_POD: Final = (*MODEL, "pod")

NOW: Final = Row(
    "Does work wait?",
    (
        Chart(
            "Queue wait, 99 %",
            f"Of the slowest model. From {objectives.WAIT_SECONDS} s on the latency objective is at"
            " risk: more pods, if Model busy is high as well.",
            "s",
            (Query(f"max({quantile(0.99, own.QUEUE_WAIT, *MODEL)})"),),
            "number",
            width=6,
            height=4,
            steps=((objectives.WAIT_SECONDS, AMBER), (objectives.FAST_SECONDS, RED)),
            alert="NlpserveQueueWait",
        ),
        Chart(
            "Model busy, fullest pod",
            "Share of the time that the model computes. Over 70 % there is no room for a burst:"
            " lower the autoscaler's target or raise maxReplicas.",
            "percentunit",
            (Query(f"max({_BUSY})"),),
            "number",
            width=6,
            height=4,
            steps=((objectives.BUSY_SHARE, AMBER), (0.95, RED)),
            alert="NlpserveLowHeadroom",
        ),
        Chart(
            "In flight of the cap, fullest pod",
            "Texts accepted and not yet answered, of what a pod accepts. Red: about to answer 503;"
            " see that the autoscaler is not at its maximum.",
            "percentunit",
            (Query(f"max({_FLYING_MEAN} / on (namespace, model) group_left () {_LIMIT})"),),
            "number",
            width=6,
            height=4,
            steps=((objectives.CAP_SHARE, AMBER), (objectives.FULL_SHARE, RED)),
            alert="NlpserveInFlightNearLimit",
        ),
        Chart(
            "Rejected",
            "Requests a second turned away for want of room or time. More than none: users see"
            " errors; look below for the reason.",
            "reqps",
            (Query(f"sum({rate(REJECTED, 'reason', where=_SHED)})"),),
            "number",
            width=6,
            height=4,
            steps=((0.001, RED),),
            alert="NlpserveRequestsShed",
        ),
    ),
)

CAPACITY: Final = Row(
    "Capacity",
    (
        Chart(
            "In flight by pod",
            "The dashed line is the target of KEDA's autoscaler. Long above it: the"
            " autoscaler is at its maximum, or has no"
            " metric. One pod far above the others: clients hold on to old connections.",
            "short",
            (
                Query(f"sum by (namespace, model, pod) ({_FLYING})", "{{pod}}"),
                Query(
                    f'{Foreign.SCALER_TARGET}{{{SCALERS},metric_name=~"s[0-9]+-prometheus.*"}}',
                    f"{{{{horizontalpodautoscaler}}}} {TARGET_LEGEND}",
                ),
            ),
            alert="NlpserveInFlightNearLimit",
        ),
        Chart(
            "Model busy by pod",
            "Share of the time that the model computes. All near 100 %: more pods. One alone:"
            " uneven traffic. Low with a long queue wait: throttled, look at Autoscaling.",
            "percentunit",
            (Query(_BUSY, "{{pod}}"),),
            steps=((objectives.BUSY_SHARE, AMBER),),
        ),
        Chart(
            "Texts by pod",
            "Texts a second that it gets through. The dashed line is its capacity, if one is set:"
            " calibrate again when full pods stay far from it.",
            "cps",
            (
                Query(rate(f"{own.BATCH_SIZE}_sum", *_BY_POD), "{{pod}}"),
                Query(f"{Recorded.CAPACITY}{{{SERVED}}}", f"{NAME} {TARGET_LEGEND}"),
            ),
            alert="NlpserveLowHeadroom",
        ),
        Chart(
            "Queue wait",
            "From accepted to the batch's start. Rises with load before anything else does: time to"
            " add pods.",
            "s",
            (
                Query(quantile(0.5, own.QUEUE_WAIT, *MODEL), f"{NAME} median"),
                Query(quantile(0.99, own.QUEUE_WAIT, *MODEL), f"{NAME} 99 %"),
            ),
            steps=((objectives.WAIT_SECONDS, AMBER), (objectives.FAST_SECONDS, RED)),
            logarithmic=True,
            alert="NlpserveQueueWait",
        ),
        Chart(
            "Texts that wait",
            "In the queues of all pods of a model. Grows without end: more comes than all pods"
            " together answer.",
            "short",
            (Query(f"sum by (namespace, model) ({own.QUEUE_DEPTH}{{{SERVED}}})", NAME),),
        ),
        Chart(
            "Rejected by reason",
            "queue_full, deadline, expired: load. unauthorized, invalid, too_large, slow_head,"
            " slow_body: the caller. model_dead, failed: read the pod's log.",
            "reqps",
            (
                Query(
                    f"sum by (namespace, model, reason) (rate({REJECTED}"
                    '{namespace=~"$namespace",model=~"$model|none"}[$__rate_interval])) > 0',
                    f"{NAME} {{{{reason}}}}",
                ),
            ),
            alert="NlpserveRequestsShed",
        ),
    ),
)

BATCHING: Final = Row(
    "Batches",
    (
        Chart(
            "Batch size",
            "Texts that the model ran together. Ones under load mean that batching does not help:"
            " see that the texts are not spread over too many pods.",
            "short",
            (
                Query(mean(own.BATCH_SIZE, *MODEL), f"{NAME} mean"),
                Query(quantile(0.95, own.BATCH_SIZE, *MODEL), f"{NAME} 95 %"),
            ),
            alert="NlpserveBatchesOfOne",
        ),
        Chart(
            "Why batches went",
            "idle: the model was free. drained: it took all that waited. full: more waited than one"
            " batch holds. Mostly full: overloaded.",
            "percentunit",
            (
                Query(
                    f"{rate(BATCHES, 'reason')} / ignoring (reason) group_left () sum("
                    f"{rate(BATCHES, 'reason')})",
                    "{{reason}}",
                ),
            ),
            stacked=True,
            most=1,
        ),
        Chart(
            "Model time of a batch",
            "Longer with the same batch size: longer texts (see Predictions), throttled CPU (see"
            " Autoscaling), or a slower version.",
            "s",
            (
                Query(quantile(0.5, own.BATCH_DURATION, *MODEL), f"{NAME} median"),
                Query(quantile(0.99, own.BATCH_DURATION, *MODEL), f"{NAME} 99 %"),
            ),
            logarithmic=True,
        ),
    ),
)

BOARD: Final = Board(
    "batching",
    "nlpserve / Batching and capacity",
    "Queue wait, batches, texts in flight against target and cap, and what was turned away.",
    (NOW, CAPACITY, BATCHING),
    (workloads(),),
)
