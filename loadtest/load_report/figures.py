"""The plots of a load test on one time axis, as SVG that takes its colours from the page."""

import io
import re
from collections.abc import Callable
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from loadtest.load_report import words
from loadtest.load_report.timeline import Timeline, timeline
from nlpserve.load_tests import LoadTestResult, Series

INK, FAINT, GRID = "#010101", "#020202", "#030303"
BLUE, ORANGE, GREEN, RED, VIOLET = "#010102", "#010103", "#010104", "#010105", "#010106"
VARIABLES: Final = {
    INK: "ink", FAINT: "faint", GRID: "grid", BLUE: "blue", ORANGE: "orange", GREEN: "green",
    RED: "red", VIOLET: "violet",
}  # fmt: skip
"""Colour that matplotlib draws → the page's, light or dark."""
MANY: Final = (BLUE, ORANGE, GREEN, VIOLET, RED)
HEAT: Final = LinearSegmentedColormap.from_list(
    "heat", [(0.16, 0.49, 0.83, 0.0), (0.16, 0.49, 0.83, 0.75), (0.93, 0.47, 0.15, 1.0)]
)
"""Sees through where nothing is, so that it lies on light and dark."""
WIDE, NARROW = 9.6, 4.4
"""Inches."""
_STYLE: Any = {
    "axes.edgecolor": GRID, "axes.labelcolor": FAINT, "axes.spines.right": False,
    "axes.spines.top": False, "font.size": 8, "svg.fonttype": "none", "svg.hashsalt": "nlpserve",
    "text.color": INK, "xtick.color": FAINT, "ytick.color": FAINT, "grid.color": GRID,
    "xtick.labelcolor": FAINT, "ytick.labelcolor": FAINT, "legend.labelcolor": FAINT,
}  # fmt: skip
Draw = Callable[[Axes], None]


def over_time(result: LoadTestResult, width: float) -> str:
    """One figure, a plot below the other. Empty when the load never began."""
    times = timeline(result)
    if times is None:
        return ""
    plots = [*_load_plots(result, times), *_target_plots(result)]
    with mpl.rc_context(_STYLE):
        heights = [1.6 if title.startswith("Latency") else 1.0 for title, _ in plots]
        figure = Figure(figsize=(width, 1.3 * sum(heights) + 0.4), layout="constrained")
        rows = figure.subplots(len(plots), 1, sharex=True, squeeze=False, height_ratios=heights)
        for axes, (title, draw) in zip(rows[:, 0], plots, strict=True):
            draw(axes)
            _finish(axes, title, result, width)
        rows[-1, 0].set_xlim(0, times.moments[-1] + times.step / 2)
        rows[-1, 0].set_xlabel("seconds since the load began; shaded: the rise")
        return _svg(figure, f"w{width:.0f}")


def _load_plots(result: LoadTestResult, times: Timeline) -> list[tuple[str, Draw]]:
    plots: list[tuple[str, Draw]] = [("Requests a second", lambda axes: _rates(axes, times))]
    plots.append(("Users, and requests under way", lambda axes: _users(axes, times)))
    plots.append(("Failures a second", lambda axes: _failures(axes, times)))
    plots.append(
        (
            "Latency from the intended start, right answers",
            lambda axes: _latencies(axes, times, result),
        )
    )
    if times.heat() is not None:
        plots.append(("Latency, heat map of answers", lambda axes: _heat(axes, times)))
    if times.sockets:
        plots.append(("Open sockets of each worker", lambda axes: _sockets(axes, times)))
    return plots


def _target_plots(result: LoadTestResult) -> list[tuple[str, Draw]]:
    plots: list[tuple[str, Draw]] = []
    if result.replicas:
        plots.append(("Pods of the target", lambda axes: _replicas(axes, result)))
    for names, title in (
        (("cpu",), "CPU of each pod, cores"),
        (("queue_wait_p50", "queue_wait_p99"), "Wait in the queue"),
        (("batch_size",), "Texts in a batch, mean"),
    ):
        found = [each for each in result.prometheus if each.name in names and each.points]
        if found:
            plots.append((title, lambda axes, found=found: _series(axes, found)))  # type: ignore[misc]
    return plots


def _rates(axes: Axes, times: Timeline) -> None:
    if times.wanted_rate is not None:
        axes.plot(times.moments, times.wanted_rate, color=INK, ls="--", lw=1, label="intended")
    axes.plot(times.moments, times.sent, color=ORANGE, lw=1.2, label="sent")
    axes.plot(times.moments, times.answered, color=BLUE, lw=1.2, label="answered")


def _users(axes: Axes, times: Timeline) -> None:
    if times.wanted_users is not None:
        axes.plot(times.moments, times.wanted_users, color=INK, ls="--", lw=1, label="intended")
        axes.plot(times.moments, times.users, color=BLUE, lw=1.2, label="users")
    axes.plot(times.moments, times.in_flight, color=VIOLET, lw=1.2, label="under way")


def _failures(axes: Axes, times: Timeline) -> None:
    axes.fill_between(times.moments, times.failures, step="mid", color=RED, alpha=0.8, lw=0)
    if not times.failures.any():
        axes.set_ylim(0, 1)
        axes.set_yticks([0])
        axes.text(0.5, 0.5, "none", transform=axes.transAxes, ha="center", va="center", color=FAINT)


def _latencies(axes: Axes, times: Timeline, result: LoadTestResult) -> None:
    for (percent, values), colour in zip(
        times.percentiles().items(), (GREEN, BLUE, ORANGE), strict=True
    ):
        axes.plot(times.moments, values, color=colour, lw=1.2, label=f"p{percent:g}")
    for objective in result.objectives:
        if objective.unit == "s":
            axes.axhline(objective.limit, color=RED, ls=":", lw=1)
            axes.annotate(
                f"{objective.name} objective", (1, objective.limit), color=RED, fontsize=7,
                xycoords=("axes fraction", "data"), ha="right", va="bottom",
            )  # fmt: skip
    _seconds(axes)
    axes.set_ylim(top=axes.get_ylim()[1] * 1.5)  # room for what the highest line is called


def _seconds(axes: Axes) -> None:
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.duration(value)))
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda _value, _place: ""))


def _heat(axes: Axes, times: Timeline) -> None:
    found = times.heat()
    if found is None:
        return
    edges, cells = found
    half = times.step / 2
    columns = [*(times.moments - half), times.moments[-1] + half]
    axes.pcolormesh(
        columns, edges, cells, cmap=HEAT, norm=PowerNorm(0.4, vmin=0, vmax=cells.max() or 1),
        rasterized=True,
    )  # fmt: skip
    _seconds(axes)


def _sockets(axes: Axes, times: Timeline) -> None:
    for worker, values in enumerate(times.sockets):
        label = f"worker {worker}" if len(times.sockets) <= len(MANY) else None
        axes.plot(times.moments, values, color=MANY[worker % len(MANY)], lw=1.1, label=label)


def _replicas(axes: Axes, result: LoadTestResult) -> None:
    end = result.timeline[-1].second + 1
    points = [*result.replicas, result.replicas[-1].model_copy(update={"second": end})]
    seconds = [max(0.0, point.second) for point in points]
    wanted, ready = ([getattr(point, name) for point in points] for name in ("wanted", "ready"))
    axes.step(seconds, wanted, where="post", color=INK, ls="--", lw=1, label="wanted")
    axes.step(seconds, ready, where="post", color=BLUE, lw=1.4, label="ready")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylim(top=max(wanted + ready) * 1.15 + 0.1)


def _series(axes: Axes, found: list[Series]) -> None:
    for place, each in enumerate(found):
        moments, values = zip(*each.points, strict=True)
        name = each.labels.get("pod") or each.name.rpartition("_")[2]
        label = None if len(found) > len(MANY) or each.name == "batch_size" else name[-24:]
        axes.plot(moments, values, color=MANY[place % len(MANY)], lw=1.2, label=label)
    if found[0].unit == "s":
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.duration(value)))


def _finish(axes: Axes, title: str, result: LoadTestResult, width: float) -> None:
    if axes.get_yscale() == "linear":
        axes.set_ylim(bottom=0)
    rise = result.scenario.load.ramp_seconds
    if rise:
        axes.axvspan(0, rise, color=FAINT, alpha=0.1, lw=0, zorder=0)
    axes.grid(visible=True, lw=0.5, zorder=0)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    labelled = bool(axes.get_legend_handles_labels()[1])
    below = labelled and width < WIDE
    axes.set_title(title, loc="left", fontsize=9, fontweight="bold", pad=16 if below else 5)
    if labelled:
        axes.legend(
            loc="lower left" if below else "lower right", bbox_to_anchor=(0 if below else 1, 0.99),
            ncols=5, frameon=False, fontsize=7.5, borderaxespad=0, handlelength=1.4,
            columnspacing=1.2,
        )  # fmt: skip


def _svg(figure: Figure, prefix: str) -> str:
    written = io.StringIO()
    figure.savefig(written, format="svg", transparent=True, dpi=110, metadata={"Date": None})
    text = written.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r'\1 role="img"', text, count=1)
    text = _renamed(text, prefix)
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, f"var(--{variable})")
    return re.sub(r"font: ([^;\"]*?)'[^\";]*", r"font: \1var(--font)", text)


def _renamed(text: str, prefix: str) -> str:
    """Two figures on one page share no names of parts, and the same plots have the same names."""
    found = dict.fromkeys(re.findall(r'\bid="([^"]+)"', text))
    names = {name: f"{prefix}-{number}" for number, name in enumerate(found)}
    return re.sub(
        r'(\bid="|url\(#|href="#)([^")]+)', lambda match: match[1] + names[match[2]], text
    )
