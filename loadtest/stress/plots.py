"""The five plots over time, from the history that Locust wrote."""

import csv
from pathlib import Path
from typing import Final

from matplotlib.figure import Figure

PLOTS: Final = {
    "Requests/s": "requests a second",
    "Failures/s": "failures a second",
    "Total Request Count": "requests so far",
    "Total Failure Count": "failures so far",
    "Total Average Response Time": "milliseconds, mean so far",
}
"""Column of the history → what its axis says."""
INK, GREY, BLUE, RED = "#1f2328", "#8c959f", "#2f6fab", "#c0392b"


def file_name(column: str) -> str:
    """Of a column's plot."""
    return column.replace("/s", "_per_s") + ".png"


def read(history: Path) -> dict[str, list[float]]:
    """The columns of all requests together; `Timestamp` as seconds since the first one."""
    with history.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["Name"] == "Aggregated"]
    found = {column: [float(row[column]) for row in rows] for column in ("Timestamp", *PLOTS)}
    begin = min(found["Timestamp"], default=0.0)
    found["Timestamp"] = [moment - begin for moment in found["Timestamp"]]
    return found


def draw(history: Path, out: Path) -> list[Path]:
    """All five into the folder."""
    columns = read(history)
    return [_plot(columns, column, out / file_name(column)) for column in PLOTS]


def _plot(columns: dict[str, list[float]], column: str, path: Path) -> Path:
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.add_subplot()
    colour = RED if "Failure" in column else BLUE
    axes.plot(columns["Timestamp"], columns[column], color=colour, linewidth=1.6)
    axes.set_title(column, loc="left", color=INK)
    axes.set_xlabel("seconds", color=INK)
    axes.set_ylabel(PLOTS[column], color=INK)
    axes.set_ylim(bottom=0, top=None if any(columns[column]) else 1)
    axes.set_xlim(0, max(columns["Timestamp"], default=0) or 1)
    axes.grid(color=GREY, alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130)
    return path
