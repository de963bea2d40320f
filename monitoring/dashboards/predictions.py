"""What is predicted, how surely, and on what?"""

from typing import Final

from monitoring.dashboards import objectives
from monitoring.dashboards.boards import Board, Row
from monitoring.dashboards.metrics import LOG_DROPPED, PREDICTIONS, SERVED, quantile, rate
from monitoring.dashboards.panels import AMBER, RED, Chart, Query
from nlpserve import metrics as own


def _share(window: str, offset: str = "") -> str:
    found = f"increase({PREDICTIONS}{{{SERVED}}}[{window}]{offset})"
    return f"sum by (label) ({found}) / scalar(sum({found}))"


_SEEN: Final = f"sum({rate(f'{own.CONFIDENCE}_count', 'model')})"
_LOW: Final = f'le="{objectives.LOW_CONFIDENCE}"'
_UNSURE: Final = f"sum({rate(f'{own.CONFIDENCE}_bucket', 'le', where=_LOW)}) / {_SEEN}"

# The mean of the pods, which get like traffic: what the alert looks at.
_DRIFT: Final = f"avg by (namespace, feature) ({own.DRIFT_PSI}{{{SERVED}}})"

NOW: Final = Row(
    "What comes out",
    (
        Chart(
            "Texts",
            "Texts a second that the model finished.",
            "cps",
            (Query(_SEEN),),
            "number",
            width=6,
            height=4,
        ),
        Chart(
            "Guesses",
            f"Share of texts whose best label scores at most {objectives.LOW_CONFIDENCE}. Rising:"
            " texts that the model was not trained for; read some, label them, train again.",
            "percentunit",
            (Query(_UNSURE),),
            "number",
            width=6,
            height=4,
            steps=((0.2, AMBER), (0.4, RED)),
        ),
        Chart(
            "Drift, worst feature",
            "Population stability index of the last hour against the training texts. Under 0.1"
            f" little changed; from {objectives.DRIFT_INDEX} on they are others: label a few dozen"
            " and compare. No value before there are enough texts.",
            "short",
            (Query(f"max({_DRIFT})"),),
            "number",
            width=6,
            height=4,
            steps=((0.1, AMBER), (objectives.DRIFT_INDEX, RED)),
            alert="NlpserveDrift",
        ),
        Chart(
            "Log lines dropped",
            "Lines a second that the prediction log had no room for, of all models of a pod. More"
            " than none: the log is incomplete; standard output is read too slowly.",
            "cps",
            (Query(f'sum(rate({LOG_DROPPED}{{namespace=~"$namespace"}}[$__rate_interval]))'),),
            "number",
            width=6,
            height=4,
            steps=((0.001, RED),),
            alert="NlpservePredictionLogDrops",
        ),
    ),
)

LABELS: Final = Row(
    "Labels",
    (
        Chart(
            "Label mix",
            "Share of each label. A label that swells or vanishes at a rollout is the new version;"
            " at another time it is the traffic. Compare with the mix the model was trained on.",
            "percentunit",
            (Query(_share("$__rate_interval"), "{{label}}"),),
            width=14,
            height=11,
            stacked=True,
            most=1,
        ),
        Chart(
            "Mix of the last hour and of the hour a day before",
            "Points of difference between the bars are a shift. More than ten points in one label:"
            " look at what the callers send, or roll the model back.",
            "percentunit",
            (
                Query(_share("1h"), "{{label}}"),
                Query(_share("1h", " offset 1d"), "{{label}} a day before"),
            ),
            "bars",
            width=10,
            height=11,
        ),
    ),
)

SURENESS: Final = Row(
    "Drift, confidence and length",
    (
        Chart(
            "Drift by feature",
            "Population stability index against the training texts. text_length or unknown_words:"
            " other texts come in. labels alone: the same texts, another mix. confidence alone:"
            " texts near what the model knows, but not of it.",
            "short",
            (Query(_DRIFT, "{{feature}}"),),
            width=12,
            steps=((objectives.DRIFT_INDEX, RED),),
            alert="NlpserveDrift",
        ),
        Chart(
            "Confidence",
            "Score of the winning label. A median that sinks slowly is drift; one that drops at a"
            " rollout is the new version.",
            "percentunit",
            (
                Query(quantile(0.5, own.CONFIDENCE), "median"),
                Query(quantile(0.1, own.CONFIDENCE), "lowest 10 %"),
            ),
            width=12,
            most=1,
            steps=((objectives.LOW_CONFIDENCE, AMBER),),
        ),
        Chart(
            "Confidence, all of it",
            "Texts a second by score. Dark at the top is good; a second band below 0.5 is one kind"
            " of text that the model does not know.",
            "percentunit",
            (Query(rate(f"{own.CONFIDENCE}_bucket", "le"), "{{le}}"),),
            "heat",
            width=12,
        ),
        Chart(
            "Text length",
            "Characters. Longer texts make batches slower: when this rises with the model's time,"
            " the model is not to blame.",
            "short",
            (
                Query(quantile(0.5, own.TEXT_CHARACTERS), "median"),
                Query(quantile(0.95, own.TEXT_CHARACTERS), "95 %"),
            ),
            width=12,
            logarithmic=True,
        ),
    ),
)

BOARD: Final = Board(
    "predictions",
    "nlpserve / Predictions",
    "Labels, confidence and text length of one model: does it still get what it was trained for?",
    (NOW, LABELS, SURENESS),
    one_model=True,
)
