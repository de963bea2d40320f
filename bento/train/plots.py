"""The reports' plots: aggregates in, PNG files out. Dark ink on white, one look for all."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bento.train.calibration import BINS
from bento.train.measures import Counts

INK, GREY, BLUE, ORANGE = "#1f2328", "#8c959f", "#2f6fab", "#d1742a"
SERIES = (BLUE, ORANGE)
SHADES = LinearSegmentedColormap.from_list("shades", ["#ffffff", "#cfe0f0", BLUE, "#143a5c"])
_STYLE: Any = {
    "figure.facecolor": "white",
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "font.size": 10,
    "legend.frameon": False,
}


@contextmanager
def drawing(path: Path, width: float, height: float) -> Iterator[Axes]:
    """Axes of a figure of this size in inches, saved to `path` at the end."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure.add_subplot()
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=130)


def bars(
    path: Path,
    title: str,
    series: Mapping[str, Mapping[str, float]],
    unit: str,
    *,
    places: int = 1,
) -> None:
    """Grouped horizontal bars, one group a label, largest first by the first series.

    `places` are the decimals of the figures at the bars' ends.
    """
    first = next(iter(series.values()))
    names = sorted(first, key=first.__getitem__)
    thickness = 0.8 / len(series)
    with drawing(path, 8, 1.1 + len(names) * (0.12 + 0.18 * len(series))) as axes:
        largest = max(max(values.values()) for values in series.values())
        for number, (label, values) in enumerate(series.items()):
            # The first series stands on top of its group.
            offset = thickness * ((len(series) - 1) / 2 - number)
            widths = [values.get(name, 0.0) for name in names]
            heights = np.arange(len(names)) + offset
            axes.barh(heights, widths, thickness * 0.92, color=SERIES[number], label=label)
            for height, width in zip(heights, widths, strict=True):
                axes.text(
                    width + largest * 0.008, height, f"{width:.{places}f}", va="center", fontsize=8
                )
        axes.set_yticks(range(len(names)), names)
        axes.tick_params(axis="y", length=0)
        axes.set_xlim(0, largest * 1.08)
        axes.set_ylim(-0.6, len(names) - 0.4)
        axes.set_xlabel(unit)
        axes.set_title(title)
        if len(series) > 1:
            axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0.2)


def histogram(path: Path, title: str, series: Mapping[str, NDArray[np.int64]], unit: str) -> None:
    """Share of documents by length; the longest hundredth is put into the last bin."""
    top = max(float(np.quantile(values, 0.99)) for values in series.values())
    width = max(1, int(np.ceil(top / 40)))
    edges = np.arange(0, np.ceil(top / width + 1) * width + 1, width)
    with drawing(path, 8, 3.6) as axes:
        for (label, values), colour in zip(series.items(), SERIES, strict=False):
            shares, _ = np.histogram(np.minimum(values, edges[-1] - 0.5), edges)
            percent = 100 * shares / len(values)
            axes.stairs(percent, edges, color=colour, label=label, fill=False, linewidth=1.8)
        axes.set_xlabel(unit)
        axes.set_ylabel("documents, %")
        axes.set_xlim(0, edges[-1])
        axes.set_ylim(bottom=0)
        axes.set_title(title)
        axes.legend()


def heatmap(path: Path, title: str, matrix: Counts, labels: Sequence[str]) -> None:
    """Confusion matrix: shares of each true label as shades, counts as figures."""
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = 2.6 + 0.55 * len(labels)
    with drawing(path, side + 0.8, side) as axes:
        image = axes.imshow(shares, cmap=SHADES, vmin=0, vmax=1, aspect="equal")
        for row, column in zip(*np.nonzero(matrix), strict=True):
            colour = "white" if shares[row, column] > 0.6 else INK
            count = f"{matrix[row, column]}"
            axes.text(column, row, count, ha="center", va="center", color=colour, fontsize=8)
        axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(labels)), labels)
        between = np.arange(1, len(labels)) - 0.5
        axes.set_xticks(between, minor=True)
        axes.set_yticks(between, minor=True)
        axes.grid(which="minor", color="#e4e8ec", linewidth=0.8)
        axes.tick_params(which="both", length=0)
        axes.spines[:].set_visible(False)
        axes.set_xlabel("predicted")
        axes.set_ylabel("true")
        axes.set_title(title)
        bar = axes.figure.colorbar(image, ax=axes, shrink=0.7, label="share of the true label")
        bar.outline.set_visible(False)


def reliability(
    path: Path, title: str, series: Mapping[str, tuple[NDArray[np.float64], NDArray[np.bool_]]]
) -> None:
    """How often predictions are right, by stated confidence, in the bins of the error measure."""
    with drawing(path, 6, 5) as axes:
        axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="perfect")
        for (label, (confidence, right)), colour in zip(series.items(), SERIES, strict=False):
            claimed, reached, counts = reliability_bins(confidence, right)
            sizes = 12 + 300 * counts / counts.sum()
            axes.plot(claimed, reached, color=colour, linewidth=1.5, label=label)
            axes.scatter(claimed, reached, s=sizes, color=colour, zorder=3)
        axes.set_xlim(0, 1.02)
        axes.set_ylim(0, 1.02)
        axes.set_xlabel("confidence of the predicted label")
        axes.set_ylabel("share that is right")
        axes.set_title(title)
        axes.legend(loc="lower right")


def reliability_bins(
    confidence: NDArray[np.float64], right: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Mean confidence, share right and documents of each bin that is not empty."""
    index = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    counts = np.bincount(index, minlength=BINS)
    full = counts > 0
    claimed = np.bincount(index, weights=confidence, minlength=BINS)[full] / counts[full]
    reached = np.bincount(index, weights=right, minlength=BINS)[full] / counts[full]
    return claimed, reached, counts[full]


def curve(path: Path, title: str, points: NDArray[np.int64], units: tuple[str, str]) -> None:
    """A line through points, [points, 2]."""
    with drawing(path, 8, 3.6) as axes:
        axes.plot(points[:, 0], points[:, 1], color=BLUE, linewidth=1.8)
        axes.set_xlabel(units[0])
        axes.set_ylabel(units[1])
        axes.set_xlim(0, points[-1, 0])
        axes.set_ylim(0, points[-1, 1] * 1.05)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.set_title(title)
