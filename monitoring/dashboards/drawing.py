"""Draws one panel from what its queries found."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import FuncFormatter, LogLocator
from matplotlib.transforms import Bbox

from monitoring.dashboards.source import Json, Points, Series
from monitoring.dashboards.units import written

INK, FAINT, GRID = "#1f2933", "#7b8794", "#e4e7eb"
COLOURS: Final = {
    "green": "#2f9e44", "orange": "#e8590c", "red": "#e03131", "text": INK, "transparent": INK,
}  # fmt: skip
PALETTE: Final = (
    "#1971c2", "#2f9e44", "#f08c00", "#9c36b5", "#e03131", "#0c8599", "#5c940d", "#c2255c",
    "#495057", "#3bc9db", "#a9e34b", "#ffa94d", "#b197fc", "#fab005",
)  # fmt: skip
BOLD_WIDTH: Final = 0.7
"""Mean width of a bold character by its font's size."""
LARGEST_NUMBER: Final = 22
LARGEST_NAME: Final = 8
"""Points."""
MOST_LEGENDS: Final = 9
LONGEST_LEGEND: Final = 47
TWO_COLUMNS: Final = 34
"""Legends shorter than this stand side by side."""


@dataclass(frozen=True)
class Drawn:
    """A series, and what the legend calls it."""

    legend: str
    series: Series


def draw(axes: Axes, panel: Json, found: Sequence[Drawn]) -> None:
    """The panel with its title; says so where there is no data."""
    axes.set_title(panel["title"], loc="left", fontsize=10, color=INK, fontweight="bold", pad=6)
    axes.tick_params(labelsize=7, colors=FAINT, length=0)
    for side in axes.spines.values():
        side.set_color(GRID)
    if not any(drawn.series.points for drawn in found):
        _bare(axes)
        axes.text(0.5, 0.5, "no data", ha="center", va="center", color=FAINT)
        return
    drawing = {
        "timeseries": _lines,
        "stat": _numbers,
        "heatmap": _heat,
        "table": _table,
        "bargauge": _bars,
    }
    drawing[panel["type"]](axes, panel, found)


def _bare(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])


def _defaults(panel: Json) -> Json:
    defaults: Json = panel["fieldConfig"]["defaults"]
    return defaults


def _steps(panel: Json) -> Sequence[Mapping[str, Any]]:
    steps: Sequence[Mapping[str, Any]] = _defaults(panel).get("thresholds", {}).get("steps", ())
    return steps


def _time(axes: Axes) -> None:
    locator = AutoDateLocator(minticks=2, maxticks=10)  # type: ignore[no-untyped-call,unused-ignore]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call,unused-ignore]
    axes.xaxis.get_offset_text().set_visible(False)


def _moments(points: Points) -> list[float]:
    """Days, matplotlib's own measure."""
    return [moment / 86400 for moment, _ in points]


def _lines(axes: Axes, panel: Json, found: Sequence[Drawn]) -> None:
    defaults = _defaults(panel)
    unit, custom = defaults["unit"], defaults["custom"]
    if custom.get("stacking", {}).get("mode") == "normal":
        _stack(axes, found)
    else:
        for drawn, colour in zip(found, PALETTE * len(found), strict=False):
            compared = drawn.legend.endswith("target")
            values = [value for _, value in drawn.series.points]
            axes.plot(
                _moments(drawn.series.points), values, color=colour, linewidth=1.4,
                linestyle="--" if compared else "-", label=_entry(drawn, unit),
            )  # fmt: skip
    for step in _steps(panel):
        if step["value"] is not None:
            axes.axhline(step["value"], color=COLOURS[step["color"]], linestyle=":", linewidth=1)
    if custom.get("scaleDistribution", {}).get("type") == "log":
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=8))
    else:
        axes.set_ylim(bottom=0, top=defaults.get("max"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: written(value, unit)))
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda _value, _place: ""))
    axes.grid(visible=True, color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    _time(axes)
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) > MOST_LEGENDS:
        labels = [*labels[: MOST_LEGENDS - 1], f"and {len(labels) - MOST_LEGENDS + 1} more"]
    longest = max(map(len, labels), default=0)
    columns = 2 if len(labels) > 4 and longest < TWO_COLUMNS else 1
    axes.legend(
        handles[: len(labels)], labels, loc="upper left", bbox_to_anchor=(-0.02, -0.1),
        ncols=columns, fontsize=6.5, frameon=False, labelcolor=INK, borderaxespad=0,
    )  # fmt: skip


def _entry(drawn: Drawn, unit: str) -> str:
    values = [value for _, value in drawn.series.points if math.isfinite(value)]
    if not values:
        return drawn.legend
    name = drawn.legend
    if len(name) > LONGEST_LEGEND:  # pods' names differ at their ends
        half = (LONGEST_LEGEND - 1) // 2
        name = f"{name[:half]}…{name[-half:]}"
    return f"{name}   last {written(values[-1], unit)}, max {written(max(values), unit)}"


def _stack(axes: Axes, found: Sequence[Drawn]) -> None:
    moments = sorted({moment for drawn in found for moment, _ in drawn.series.points})
    rows = []
    for drawn in found:
        known = dict(drawn.series.points)
        values = [known.get(moment, 0.0) for moment in moments]
        rows.append([value if math.isfinite(value) else 0.0 for value in values])
    axes.stackplot(
        _moments([(moment, 0) for moment in moments]), rows, alpha=0.75,
        labels=[drawn.legend for drawn in found], colors=PALETTE,
    )  # fmt: skip


def _numbers(axes: Axes, panel: Json, found: Sequence[Drawn]) -> None:
    _bare(axes)
    unit = _defaults(panel)["unit"]
    box = axes.get_window_extent()
    width, height = (pixels / axes.figure.dpi * 72 for pixels in (box.width, box.height))
    rows = height / len(found)

    def fitting(texts: Sequence[str], share: float) -> float:
        """As Grafana does: so small that the longest fits in its box."""
        longest = max(map(len, texts), default=0)
        return min(rows * share, width / (BOLD_WIDTH * max(longest, 1)))

    texts = [written(drawn.series.points[-1][1], unit) for drawn in found]
    size = min(LARGEST_NUMBER, fitting(texts, 0.45))
    small = min(LARGEST_NAME, fitting([drawn.legend for drawn in found], 0.25))
    for place, drawn in enumerate(found):
        value = drawn.series.points[-1][1]
        colour = INK
        for step in _steps(panel):
            if step["value"] is None or value >= step["value"]:
                colour = COLOURS[step["color"]]
        middle = 1 - (place + 0.5) / len(found)
        if drawn.legend:
            top = middle + 0.5 / len(found) - small / height
            axes.text(
                0.5, top, drawn.legend, ha="center", va="center", fontsize=small, color=FAINT,
                transform=axes.transAxes,
            )  # fmt: skip
            middle -= small / height / 2
        axes.text(
            0.5, middle, texts[place], ha="center", va="center", fontsize=size, color=colour,
            fontweight="bold", transform=axes.transAxes,
        )  # fmt: skip


def _bars(axes: Axes, panel: Json, found: Sequence[Drawn]) -> None:
    unit = _defaults(panel)["unit"]
    kept = sorted(found, key=lambda drawn: drawn.legend, reverse=True)
    values = [drawn.series.points[-1][1] for drawn in kept]
    names = [drawn.legend for drawn in kept]
    axes.barh(names, values, color=PALETTE[0], height=0.7)
    for place, value in enumerate(values):
        axes.text(value, place, f" {written(value, unit)}", va="center", fontsize=7, color=INK)
    axes.set_xlim(0, max(values) * 1.2 or 1)
    axes.set_xticks([])


def _heat(axes: Axes, panel: Json, found: Sequence[Drawn]) -> None:
    """Buckets count all below them: a row is the difference to the one below."""
    ordered = sorted(found, key=lambda drawn: float(drawn.legend))
    moments = sorted({moment for drawn in ordered for moment, _ in drawn.series.points})
    known = [dict(drawn.series.points) for drawn in ordered]
    heights = [[row.get(moment, 0.0) for moment in moments] for row in known]
    rows = [
        [max(0.0, here - below) for here, below in zip(row, under, strict=True)]
        for row, under in zip(heights, [[0.0] * len(moments), *heights], strict=False)
    ]
    axes.pcolormesh(
        _moments([(moment, 0) for moment in moments]), range(len(rows)), rows, cmap="Oranges"
    )
    axes.set_yticks(range(len(ordered)), [f"≤ {drawn.legend}" for drawn in ordered])
    _time(axes)


def _table(axes: Axes, panel: Json, found: Sequence[Drawn]) -> None:
    axes.axis("off")
    organized = panel["transformations"][1]["options"]
    order, called = organized["indexByName"], organized["renameByName"]
    names = {name: called[name] for name in sorted(called, key=lambda name: order[name])}
    cells = [{**drawn.series.labels, "Value": f"{drawn.series.points[-1][1]:g}"} for drawn in found]
    rows = [[row.get(name, "")[:24] for name in names] for row in cells]
    height = min(1.0, 0.14 * (len(rows) + 1))
    place = Bbox.from_bounds(0, 1 - height, 1, height)
    table = axes.table(rows, colLabels=list(names.values()), bbox=place, cellLoc="left")
    table.auto_set_font_size(value=False)
    table.set_fontsize(8)
    for cell in table.get_celld().values():
        cell.set_edgecolor(GRID)
        cell.set_text_props(color=INK)
