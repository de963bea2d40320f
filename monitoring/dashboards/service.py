"""Is the service well, and does it keep what it promises?"""

from typing import Final

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import VariableOption

from monitoring.dashboards import objectives
from monitoring.dashboards.boards import Board, Row
from monitoring.dashboards.metrics import REQUESTS, SERVED, Recorded, quantile, rate, recorded
from monitoring.dashboards.panels import AMBER, GREEN, RED, Chart, Query
from nlpserve import metrics as own

PERIODS: Final = ("1h", "6h", "1d", "7d", "30d")
FAILED: Final = 'code=~"5.."'


def _over_period(metric: str, where: str = "") -> str:
    return rate(metric, "model", where=where, window="$period")


# No failure yet has no series, which is not the same as no traffic.
_BAD: Final = f"({_over_period(REQUESTS, FAILED)} or 0 * {_over_period(REQUESTS)})"
_BAD_SHARE: Final = f"{_BAD} / ({_over_period(REQUESTS)} > 0)"
_PROMISED: Final = recorded(Recorded.AVAILABILITY, objectives.AVAILABILITY)
_DURATION: Final = own.REQUEST_DURATION
# The bucket is the one that the release's objective names.
_NAMED: Final = f"and on (model, le) {Recorded.LATENCY}{{{SERVED}}}"
_BUCKETS: Final = f"rate({_DURATION}_bucket{{{SERVED}}}[$period])"
_DEFAULT: Final = _over_period(f"{_DURATION}_bucket", f'le="{objectives.FAST_SECONDS}"')
_FAST_SHARE: Final = (
    f"(sum by (model) ({_BUCKETS} {_NAMED}) or {_DEFAULT})"
    f" / ({_over_period(f'{_DURATION}_count')} > 0)"
)
_FAILING: Final = (
    f"({rate(REQUESTS, 'model', where=FAILED)} or 0 * {rate(REQUESTS, 'model')})"
    f" / {rate(REQUESTS, 'model')}"
)

NOW: Final = Row(
    "The objective",
    (
        Chart(
            "Answered well",
            "Answers that were no 5xx, over the chosen period. Below what is promised: look at"
            " Errors by code for which, then at Rejected on Batching;"
            " roll back if it began at a rollout.",
            "percentunit",
            (Query(f"1 - {_BAD_SHARE}", "{{model}}"),),
            "number",
            width=5,
            height=5,
            steps=((objectives.AVAILABILITY, GREEN),),
            base=RED,
            alert="NlpserveErrorBudgetBurn",
        ),
        Chart(
            "Error budget left",
            "Of what may fail in the chosen period. Under a quarter: no risky rollouts. Under"
            " nothing: the promise is broken; roll out nothing but repairs until it has recovered.",
            "percentunit",
            (Query(f"1 - {_BAD_SHARE} / (1 - {_PROMISED})", "{{model}}"),),
            "number",
            width=5,
            height=5,
            steps=((0, AMBER), (0.25, GREEN)),
            base=RED,
            alert="NlpserveErrorBudgetBurn",
        ),
        Chart(
            "Answered in time",
            "Share of the answers within the model's latency objective, over the chosen period."
            " Red: compare queue wait and model time on Batching; waiting wants more pods, a slow"
            " model"
            " wants CPU or shorter texts.",
            "percentunit",
            (Query(_FAST_SHARE, "{{model}}"),),
            "number",
            width=5,
            height=5,
            steps=((objectives.FAST_SHARE, GREEN),),
            base=RED,
            alert="NlpserveLatencyBudgetBurn",
        ),
        Chart(
            "Requests",
            "Answers a second, now. Nothing where there should be traffic: look at the route and at"
            " the Service before the pods.",
            "reqps",
            (Query(f"sum({rate(REQUESTS, 'model')})"),),
            "number",
            width=3,
            height=5,
        ),
        Chart(
            "Pods that answer",
            "Pods whose metrics Prometheus reads, by model. None: the model is down, look at its"
            " Deployment's events.",
            "short",
            (Query(f"count by (model) ({own.MODEL_INFO}{{{SERVED}}})", "{{model}}"),),
            "number",
            width=6,
            height=5,
            steps=((1, GREEN),),
            base=RED,
            alert="NlpserveNotScraped",
        ),
    ),
)

RED_BY_MODEL: Final = Row(
    "Rate, errors, duration by model",
    (
        Chart(
            "Requests by model",
            "Answers a second. A sudden drop is traffic that does not arrive, a sudden rise is what"
            " explains a full queue.",
            "reqps",
            (Query(rate(REQUESTS, "model"), "{{model}}"),),
        ),
        Chart(
            "Errors by model",
            "Share of 5xx among the answers. Above the line the month's budget is being spent too"
            " fast: find the code below, then the reason in Rejected on the Batching dashboard.",
            "percentunit",
            (Query(_FAILING, "{{model}}"),),
            steps=((1 - objectives.AVAILABILITY, RED),),
            alert="NlpserveErrorBudgetBurn",
        ),
        Chart(
            "Duration by model",
            f"From the request's head to its answer; the line is {objectives.FAST_SECONDS} s. If"
            " the 99th percentile alone rises, look for throttling on Autoscaling; if the"
            " median does, look at queue wait.",
            "s",
            (
                Query(quantile(0.5, _DURATION, "model"), "{{model}} median"),
                Query(quantile(0.99, _DURATION, "model"), "{{model}} 99 %"),
            ),
            steps=((objectives.FAST_SECONDS, RED),),
            logarithmic=True,
            alert="NlpserveLatencyBudgetBurn",
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
            (Query(rate(REQUESTS, "model", "code", where='code=~"[45].."'), "{{model}} {{code}}"),),
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

_PERIOD: Final = (
    dashboard.CustomVariable("period")
    .label("Objective over")
    .values(",".join(PERIODS))
    .current(VariableOption(selected=True, text="1d", value="1d"))
)

BOARD: Final = Board(
    "service",
    "nlpserve / Service",
    "Rate, errors and duration of each model, its objective and what of the error budget is left.",
    (NOW, RED_BY_MODEL, DETAIL),
    (_PERIOD,),
)
