"""Is the service well, and does it keep what it promises?"""

from typing import Final

from monitoring.dashboards import objectives
from monitoring.dashboards.boards import Board, Row
from monitoring.dashboards.budget import COUNTED, FAILED, OBJECTIVE, PERIOD, PROMISED
from monitoring.dashboards.metrics import MODEL, NAME, REQUESTS, SERVED, quantile, rate, tracked
from monitoring.dashboards.panels import RED, TARGET_LEGEND, Chart, Query
from nlpserve import metrics as own

_DURATION: Final = own.REQUEST_DURATION
_NOW: Final = rate(REQUESTS, *MODEL, where=COUNTED)
# No failure yet has no series, which is not the same as no traffic.
_FAILING: Final = f"({rate(REQUESTS, *MODEL, where=FAILED)} or 0 * {_NOW}) / {_NOW}"

RED_BY_MODEL: Final = Row(
    "Rate, errors, duration by model",
    (
        Chart(
            "Requests by model",
            "Answers a second. A sudden drop is traffic that does not arrive, a sudden rise is what"
            " explains a full queue.",
            "reqps",
            (Query(rate(REQUESTS, *MODEL), NAME),),
        ),
        Chart(
            "Errors by model",
            "Share of 5xx among the answers. Above its dashed line a model spends its budget too"
            " fast: find the code below, then the reason in Rejected on the Batching dashboard.",
            "percentunit",
            (
                Query(_FAILING, NAME),
                Query(f"1 - {PROMISED}", f"{NAME} {TARGET_LEGEND}"),
            ),
            alert="NlpserveErrorBudgetBurn",
        ),
        Chart(
            "Duration by model",
            f"From the request's head to its answer; the line is {objectives.FAST_SECONDS} s, the"
            " objective where a release sets no other. If the 99th percentile alone rises, look for"
            " throttling on Autoscaling; if the median does, look at queue wait.",
            "s",
            (
                Query(quantile(0.5, _DURATION, *MODEL), f"{NAME} median"),
                Query(quantile(0.99, _DURATION, *MODEL), f"{NAME} 99 %"),
            ),
            steps=((objectives.FAST_SECONDS, RED),),
            logarithmic=True,
            alert="NlpserveLatencyBudgetBurn",
        ),
    ),
)

_TRACK: Final = f"{NAME} {{{{track}}}}"
_TRACKED: Final = tracked(REQUESTS, *MODEL, where=COUNTED)
_TRACKED_FAILING: Final = tracked(REQUESTS, *MODEL, where=FAILED)
_TRACKED_DURATION: Final = tracked(f"{_DURATION}_bucket", "le", *MODEL)

CANARY: Final = Row(
    "A canary beside its model",
    (
        Chart(
            "Requests by track",
            "Answers a second of the canaries and of the pods beside them. Without a canary there"
            " is one track. It gets its share of connections, not of requests.",
            "reqps",
            (Query(_TRACKED, _TRACK),),
        ),
        Chart(
            "Errors by track",
            "Share of 5xx among the answers. More in the canary than beside it: roll back. More in"
            " both: it is not the canary.",
            "percentunit",
            (Query(f"({_TRACKED_FAILING} or 0 * {_TRACKED}) / {_TRACKED}", _TRACK),),
        ),
        Chart(
            "99 % duration by track",
            "A canary that is slower under the same share of requests will be slower alone. One"
            " pod's 99th percentile jumps: look at a quarter of an hour.",
            "s",
            (Query(f"histogram_quantile(0.99, {_TRACKED_DURATION})", _TRACK),),
            steps=((objectives.FAST_SECONDS, RED),),
            logarithmic=True,
        ),
    ),
)

DETAIL: Final = Row(
    "Where and what",
    (
        Chart(
            "Requests by route",
            "Which interface is used. Before removing a route, see that nobody calls it.",
            "reqps",
            (Query(rate(REQUESTS, "route"), "{{route}}"),),
            stacked=True,
        ),
        Chart(
            "Errors by code",
            "Answers a second that were 4xx or 5xx. 503 is load, 500 is the model, 4xx is the"
            " caller: send them the answer's detail.",
            "reqps",
            (
                Query(
                    rate(REQUESTS, *MODEL, "code", where='code=~"[45].."'),
                    f"{NAME} {{{{code}}}}",
                ),
            ),
        ),
        Chart(
            "99 % duration by route",
            "Which interface is slow. Requests of many texts take longer: compare /v1 and /v2 with"
            " those of one text.",
            "s",
            (Query(quantile(0.99, _DURATION, "route"), "{{route}}"),),
            steps=((objectives.FAST_SECONDS, RED),),
            logarithmic=True,
        ),
        Chart(
            "What is served",
            "Pods by version, artifact and runtime. Two rows of a model outside a rollout or a"
            " canary are a rollout that stopped half way: look at the Deployment.",
            "short",
            (
                Query(
                    "count by (namespace, model, version, sha256, runtime)"
                    f" ({own.MODEL_INFO}{{{SERVED}}})"
                ),
            ),
            "table",
            width=24,
            height=6,
            columns={
                "namespace": "Namespace",
                "model": "Model",
                "version": "Version",
                "runtime": "Runtime",
                "sha256": "Artifact",
                "Value": "Pods",
            },
            alert="NlpserveRolloutDoesNotEnd",
        ),
    ),
)

BOARD: Final = Board(
    "service",
    "nlpserve / Service",
    "Rate, errors and duration of each model, its objective and what of the error budget is left.",
    (OBJECTIVE, RED_BY_MODEL, CANARY, DETAIL),
    (PERIOD,),
)
