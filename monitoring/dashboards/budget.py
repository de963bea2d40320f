"""Does each model keep what it promises? The row at the top of the Service dashboard."""

from typing import Final

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import VariableOption

from monitoring.dashboards import objectives
from monitoring.dashboards.boards import Row
from monitoring.dashboards.metrics import (
    EACH_MODEL,
    MODEL,
    NAME,
    REQUESTS,
    SERVED,
    Recorded,
    rate,
    recorded,
)
from monitoring.dashboards.panels import AMBER, GREEN, RED, Chart, Query
from nlpserve import metrics as own

# No longer than the add-on's Prometheus keeps what it read.
PERIODS: Final = ("1h", "6h", "1d", "3d")
FAILED: Final = 'code=~"5.."'
# A client's mistake is neither a good answer nor a failure.
COUNTED: Final = 'code!~"4.."'
PROMISED: Final = recorded(Recorded.AVAILABILITY, objectives.AVAILABILITY)


def _over_period(metric: str, where: str = "") -> str:
    return rate(metric, *MODEL, where=where, window="$period")


_ALL: Final = _over_period(REQUESTS, COUNTED)
# No failure yet has no series, which is not the same as no traffic.
_BAD: Final = f"({_over_period(REQUESTS, FAILED)} or 0 * {_ALL})"
_BAD_SHARE: Final = f"{_BAD} / ({_ALL} > 0)"
_FAST_PROMISED: Final = recorded(Recorded.LATENCY, objectives.FAST_SHARE)
_DURATION: Final = own.REQUEST_DURATION
# The bucket is the one that the release's objective names.
_NAMED: Final = (
    f"and on ({EACH_MODEL}, le) topk by ({EACH_MODEL}) (1, {Recorded.LATENCY}{{{SERVED}}})"
)
_BUCKETS: Final = f"rate({_DURATION}_bucket{{{SERVED}}}[$period])"
_DEFAULT: Final = _over_period(f"{_DURATION}_bucket", f'le="{objectives.FAST_SECONDS}"')
_FAST_SHARE: Final = (
    f"(sum by ({EACH_MODEL}) ({_BUCKETS} {_NAMED}) or {_DEFAULT})"
    f" / ({_over_period(f'{_DURATION}_count')} > 0)"
)
# A model that nobody reads any more is shown as none, not left out.
_ANSWERING: Final = (
    f"count by ({EACH_MODEL}) ({own.MODEL_INFO}{{{SERVED}}})"
    f" or 0 * count by ({EACH_MODEL}) ({Recorded.DEPLOYMENT}{{{SERVED}}})"
)

OBJECTIVE: Final = Row(
    "The objective",
    (
        Chart(
            "Answered well",
            "Answers that were no 5xx, over the chosen period, without the client's own mistakes"
            " (4xx). What is promised differs by model: the budget beside it says how it stands.",
            "percentunit",
            (Query(f"1 - {_BAD_SHARE}", NAME),),
            "number",
            width=4,
            height=5,
            alert="NlpserveErrorBudgetBurn",
        ),
        Chart(
            "Error budget left",
            "Of what may fail in the chosen period. Under a quarter: no risky rollouts. Under"
            " nothing: the promise is broken; look at Errors by code for which, then at Rejected on"
            " Batching; roll back if it began at a rollout.",
            "percentunit",
            (Query(f"1 - {_BAD_SHARE} / (1 - {PROMISED})", NAME),),
            "number",
            width=4,
            height=5,
            steps=((0, AMBER), (0.25, GREEN)),
            base=RED,
            alert="NlpserveErrorBudgetBurn",
        ),
        Chart(
            "Answered in time",
            "Share of the answers within the model's latency objective, over the chosen period. The"
            " budget beside it says whether that is enough.",
            "percentunit",
            (Query(_FAST_SHARE, NAME),),
            "number",
            width=4,
            height=5,
            alert="NlpserveLatencyBudgetBurn",
        ),
        Chart(
            "Latency budget left",
            "Of what may be slow in the chosen period. Red: compare queue wait and model time on"
            " Batching; waiting wants more pods, a slow model wants CPU or shorter texts.",
            "percentunit",
            (Query(f"1 - (1 - {_FAST_SHARE}) / (1 - {_FAST_PROMISED})", NAME),),
            "number",
            width=4,
            height=5,
            steps=((0, AMBER), (0.25, GREEN)),
            base=RED,
            alert="NlpserveLatencyBudgetBurn",
        ),
        Chart(
            "Requests",
            "Answers a second, now. Nothing where there should be traffic: look at the route and at"
            " the Service before the pods.",
            "reqps",
            (Query(f"sum({rate(REQUESTS, *MODEL)})"),),
            "number",
            width=3,
            height=5,
        ),
        Chart(
            "Pods that answer",
            "Pods whose metrics Prometheus reads, by model. None: the model is down, look at its"
            " Deployment's events.",
            "short",
            (Query(_ANSWERING, NAME),),
            "number",
            width=5,
            height=5,
            steps=((1, GREEN),),
            base=RED,
            alert="NlpserveNotScraped",
        ),
    ),
)

PERIOD: Final = (
    dashboard.CustomVariable("period")
    .label("Objective over")
    .values(",".join(PERIODS))
    .current(VariableOption(selected=True, text="1d", value="1d"))
)
