"""`python -m monitoring.dashboards.preview --url URL --out DIR`: the dashboards as pictures.

Reads grafana/*.json as Grafana would, so what is drawn is what is shipped.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from textwrap import wrap
from typing import Final

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from monitoring.dashboards.drawing import FAINT, INK, Drawn, draw
from monitoring.dashboards.source import Json, Prometheus, SourceError, fill, variables_of

FOLDER: Final = Path(__file__).parent / "grafana"
WIDTH_PIXELS: Final = 1400
DOTS: Final = 100
COLOURS: Final = 128
COLUMNS: Final = 24
ROW_INCHES: Final = 0.38
MARGIN_INCHES: Final = 0.75
POINTS: Final = 240
DAY: Final = 86400
"""Seconds; matplotlib counts days."""


def picture(dashboard: Json, prometheus: Prometheus, chosen: Mapping[str, str]) -> Figure:
    """The whole dashboard on its own grid."""
    variables = variables_of(dashboard, prometheus, chosen)
    bottom = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in dashboard["panels"])
    height = bottom * ROW_INCHES + MARGIN_INCHES
    figure = Figure(figsize=(WIDTH_PIXELS / DOTS, height), dpi=DOTS, facecolor="white")
    FigureCanvasAgg(figure)
    heading: Json = {"x": 0.012, "color": INK, "va": "top", "ha": "left"}
    figure.text(
        y=1 - 0.12 / height, s=dashboard["title"], fontsize=15, fontweight="bold", **heading
    )
    shown = {name: value for name, value in variables.items() if not name.startswith("__")}
    said = "   ".join(f"{name}: {value}" for name, value in shown.items())
    figure.text(
        y=1 - 0.45 / height, s=wrap(said, 200)[0], fontsize=8, **{**heading, "color": FAINT}
    )
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        top = 1 - (MARGIN_INCHES + place["y"] * ROW_INCHES) / height
        if panel["type"] == "row":
            figure.text(y=top - 0.08 / height, s=panel["title"], fontsize=12, **heading)
            continue
        # Room for the title above, and for axis and legend below where there are some.
        long = panel["type"] in {"timeseries", "heatmap"}
        below = 1.05 if panel["type"] == "timeseries" else 0.35 if long else 0.1
        left = 0.06 if long else 0.012
        if panel["type"] == "bargauge":
            left = 0.09
        box = (
            place["x"] / COLUMNS + left,
            top - (place["h"] * ROW_INCHES - below) / height,
            place["w"] / COLUMNS - left - 0.015,
            (place["h"] * ROW_INCHES - below - 0.35) / height,
        )
        axes = figure.add_axes(box)
        draw(axes, panel, _found(panel, prometheus, variables))
        if panel["type"] == "timeseries" and axes.has_data():
            axes.set_xlim(prometheus.start / DAY, prometheus.end / DAY)
    return figure


def save(figure: Figure, target: Path) -> None:
    """As a PNG of few colours: a quarter of the size."""
    whole = BytesIO()
    figure.savefig(whole, format="png")
    few = Image.open(whole).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(target, optimize=True)


def _found(panel: Json, prometheus: Prometheus, variables: Mapping[str, str]) -> list[Drawn]:
    found = []
    for target in panel["targets"]:
        expression = fill(target["expr"], variables)
        ask = prometheus.instant if target.get("instant") else prometheus.range
        template = target.get("legendFormat", "")
        found += [Drawn(_legend(template, series.labels), series) for series in ask(expression)]
    return found


def _legend(template: str, labels: Mapping[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda match: labels.get(match[1], ""), template)


def main(arguments: list[str] | None = None) -> int:
    """Draw every dashboard; 1 when Prometheus does not answer."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--url", required=True, help="of Prometheus")
    parser.add_argument("--out", required=True, type=Path, help="folder for the pictures")
    parser.add_argument("--minutes", type=float, default=60, help="how far back; default 60")
    parser.add_argument("--end", type=float, default=None, help="Unix time; default now")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a variable of a dashboard"
    )
    given = parser.parse_args(arguments)
    end = given.end or time.time()
    seconds = given.minutes * 60
    prometheus = Prometheus(given.url, end - seconds, end, max(1, round(seconds / POINTS)))
    chosen = dict(pair.split("=", 1) for pair in given.set)
    given.out.mkdir(parents=True, exist_ok=True)
    for file in sorted(FOLDER.glob("*.json")):
        dashboard = json.loads(file.read_text(encoding="utf-8"))
        try:
            figure = picture(dashboard, prometheus, chosen)
        except SourceError as error:
            sys.stderr.write(f"{file.stem}: {error}\n")
            return 1
        target = given.out / f"{file.stem}.png"
        save(figure, target)
        sys.stdout.write(f"{target}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
