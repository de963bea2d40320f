"""What a pod of the target counted: its metrics, or the last line of its log. Pure."""

import re
from collections import Counter
from typing import Any, Final, NamedTuple

import orjson

from nlpserve import metrics, routes

LINE: Final = re.compile(rf"{metrics.REQUESTS}_total\{{(?P<labels>.*)\}} (?P<number>[0-9.e+]+)$")
LABEL: Final = re.compile(r'(\w+)="([^"]*)"')
INFO: Final = re.compile(rf"{metrics.MODEL_INFO}(?:_info)?\{{(?P<labels>.*)\}} ")
ROUTES: Final = {"v1": routes.V1_CLASSIFY, "intent": routes.INTENT, "emotion": routes.ROOT}
"""A scenario's routes as the metrics name them."""


class Counted(NamedTuple):
    """Requests since the pod's start."""

    ours: dict[str, int]
    """On the load's model and route, status → number."""
    others: int
    sha256: str = ""
    """Of the model, when the pod says so."""


def from_metrics(text: str, model: str, route: str) -> Counted:
    """The Prometheus text of a pod."""
    numbers: Counter[tuple[str, str, str]] = Counter()
    sha256 = ""
    for line in text.splitlines():
        if found := LINE.match(line):
            labels = dict(LABEL.findall(found["labels"]))
            key = (labels["model"], labels["route"], labels["code"])
            numbers[key] += round(float(found["number"]))
        elif found := INFO.match(line):
            labels = dict(LABEL.findall(found["labels"]))
            if labels.get("model") == model:
                sha256 = labels.get("sha256", "")
    return _split(numbers, model, route)._replace(sha256=sha256)


def from_log(line: str, model: str, route: str) -> Counted | None:
    """The line that a pod logs as it ends; None for any other line."""
    _, mark, rest = line.partition(metrics.LAST_COUNTS)
    if not mark:
        return None
    try:
        rows: Any = orjson.loads(rest)
        numbers = Counter({(str(m), str(r), str(code)): int(n) for m, r, code, n in rows})
    except (ValueError, TypeError):
        return None
    return _split(numbers, model, route)


def _split(numbers: Counter[tuple[str, str, str]], model: str, route: str) -> Counted:
    ours: dict[str, int] = {}
    others = 0
    # A status that a pod has counted no answer of says nothing.
    for (its_model, its_route, code), number in (+numbers).items():
        if (its_model, its_route) == (model, ROUTES[route]):
            ours[code] = ours.get(code, 0) + number
        else:
            others += number
    return Counted(ours, others)
