"""Prometheus' HTTP API, and a dashboard's variables filled in from it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

TIMEOUT_SECONDS: Final = 30
ALL: Final = "$__all"

Json = dict[str, Any]
Points = list[tuple[float, float]]


class SourceError(Exception):
    """Prometheus does not answer, or refuses a query; the message says which."""


@dataclass(frozen=True)
class Series:
    """One time series: its labels and what was measured when."""

    labels: Mapping[str, str]
    points: Points


@dataclass(frozen=True)
class Prometheus:
    """A server, and the time that is looked at."""

    url: str
    start: float
    end: float
    step: int

    def range(self, expression: str) -> list[Series]:
        """Values over the time."""
        found = self._get(
            "query_range", query=expression, start=self.start, end=self.end, step=self.step
        )
        return [Series(row["metric"], _points(row["values"])) for row in found["result"]]

    def instant(self, expression: str) -> list[Series]:
        """Values at its end."""
        found = self._get("query", query=expression, time=self.end)
        if found["resultType"] != "vector":
            return [Series({}, _points([found["result"]]))]
        return [Series(row["metric"], _points([row["value"]])) for row in found["result"]]

    def label_values(self, selector: str, label: str) -> list[str]:
        """Values of a label in the time, in order."""
        matching = {"match[]": selector, "start": self.start, "end": self.end}
        return sorted(self._get(f"label/{label}/values", **matching))

    def _get(self, path: str, **parameters: object) -> Any:  # noqa: ANN401  JSON
        address = f"{self.url.rstrip('/')}/api/v1/{path}?{urlencode(parameters)}"
        try:
            with urlopen(address, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310  the user's URL
                found = json.load(answer)
        except HTTPError as error:
            raise SourceError(f"{path} {parameters}: {error.read().decode()}") from error
        except (OSError, ValueError) as error:
            raise SourceError(f"{self.url}: {error}") from error
        return found["data"]


def fill(text: str, variables: Mapping[str, str]) -> str:
    """The text with `$name` and `${name}` replaced, as Grafana does it."""

    def value(match: re.Match[str]) -> str:
        return variables.get(match[1] or match[2], match[0])

    return re.sub(r"\$(?:(\w+)|\{(\w+)\})", value, text)


def variables_of(
    dashboard: Json, prometheus: Prometheus, chosen: Mapping[str, str]
) -> dict[str, str]:
    """What each variable stands for: what is chosen, else all, else its default or first value."""
    filled = {"__rate_interval": f"{max(4 * prometheus.step, 60)}s", **chosen}
    for variable in dashboard["templating"]["list"]:
        name = variable["name"]
        if name in chosen or variable["type"] == "datasource":
            continue
        if variable["type"] == "constant":
            filled[name] = variable["query"]
        elif variable["type"] != "query":
            filled[name] = variable["current"]["value"]
        elif variable.get("allValue"):
            filled[name] = variable["allValue"]
        else:
            values = _values(variable, prometheus, filled)
            filled[name] = "|".join(values if variable["includeAll"] else values[:1])
    return filled


def _values(variable: Json, prometheus: Prometheus, filled: Mapping[str, str]) -> Sequence[str]:
    query = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
    if query is None:
        raise SourceError(f"variable {variable['name']}: not a query of label_values")
    values = prometheus.label_values(fill(query[1], filled), query[2])
    if pattern := variable.get("regex"):
        matches = (re.search(pattern.strip("/"), value) for value in values)
        values = sorted({match[1] for match in matches if match})
    return values


def _points(values: Sequence[tuple[float, str]]) -> Points:
    return [(moment, float(value)) for moment, value in values]
