"""One picture of a run: rate, pods, latency and the autoscaler's signal on one time axis. SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from nlpserve.autoscale_results import AutoscaleRecord, PodCount

WIDTH: Final = 900
HEIGHT: Final = 150
LEFT: Final = 70
RIGHT: Final = 150
TOP: Final = 40
GAP: Final = 42
COLORS: Final = ("#1f6feb", "#d1242f", "#57606a")

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Line:
    """One line of a panel; `steps`: it holds its value until the next point."""

    name: str
    points: Points
    steps: bool = False
    level: bool = False
    """A target: dashed, and no data."""


@dataclass(frozen=True)
class Panel:
    """One of the plots above each other."""

    title: str
    lines: Sequence[Line]


def panels(record: AutoscaleRecord) -> list[Panel]:
    """Of a record."""
    end = record.seconds
    counts = sorted(record.counts, key=lambda each: each.second)
    objective = record.calibration.objective_seconds
    found = [
        Panel(
            "requests/s",
            [
                Line("sent", [(each.second, each.meant) for each in counts]),
                Line("not answered", [(each.second, each.shed + each.lost) for each in counts]),
            ],
        ),
        Panel(
            "pods",
            [
                Line("wanted", _steps(record.replicas, end, wanted=True), steps=True),
                Line("ready", _steps(record.replicas, end, wanted=False), steps=True),
            ],
        ),
        Panel(
            "slowest answer of a second, s",
            [
                Line("slowest", [(each.second, each.slowest) for each in counts]),
                Line("objective", [(0, objective), (end, objective)], level=True),
            ],
        ),
    ]
    cpu = [(each.second, each.cpu) for each in record.signals if each.cpu is not None]
    target = record.autoscaler.cpu_target
    found.append(
        Panel(
            "CPU of a pod as the autoscaler sees it, cores",
            [
                Line("average", cpu, steps=True),
                Line("target", [(0, target), (end, target)], level=True),
            ],
        )
    )
    if record.autoscaler.mode == "keda" and record.autoscaler.keda is not None:
        texts = [(s.second, s.in_flight) for s in record.signals if s.in_flight is not None]
        aim = record.autoscaler.keda.in_flight
        found.append(
            Panel(
                "texts in flight of a pod as the autoscaler sees them",
                [
                    Line("average", texts, steps=True),
                    Line("target", [(0, aim), (end, aim)], level=True),
                ],
            )
        )
    return found


def svg(record: AutoscaleRecord) -> str:
    """The whole picture."""
    drawn = panels(record)
    height = TOP + len(drawn) * (HEIGHT + GAP)
    title = f"{record.name}: {record.calibration.model}, mode {record.autoscaler.mode}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        f' font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="20" font-size="15">{escape(title)}</text>',
    ]
    for number, panel in enumerate(drawn):
        parts += _panel(panel, TOP + 16 + number * (HEIGHT + GAP), record.seconds)
    return "\n".join([*parts, "</svg>", ""])


def _steps(replicas: Sequence[PodCount], end: float, *, wanted: bool) -> Points:
    points = [(each.second, float(each.wanted if wanted else each.ready)) for each in replicas]
    return [*points, (end, points[-1][1])]


def _panel(panel: Panel, top: float, end: float) -> list[str]:
    highest = max((value for line in panel.lines for _, value in line.points), default=1.0) or 1.0
    plot = WIDTH - LEFT - RIGHT

    def place(second: float, value: float) -> str:
        return f"{LEFT + second / end * plot:.1f},{top + HEIGHT * (1 - value / highest / 1.08):.1f}"

    bottom = top + HEIGHT
    parts = [
        f'<text x="{LEFT}" y="{top - 5}">{escape(panel.title)}</text>',
        f'<path d="M{LEFT} {top}V{bottom}H{LEFT + plot}" fill="none" stroke="#8c959f"/>',
        f'<text x="{LEFT - 6}" y="{bottom}" text-anchor="end">0</text>',
        f'<text x="{LEFT - 6}" y="{top + HEIGHT * (1 - 1 / 1.08) + 4:.1f}" text-anchor="end">'
        f"{highest:.3g}</text>",
    ]
    for tick in _ticks(end):
        x = LEFT + tick / end * plot
        parts.append(f'<path d="M{x:.1f} {bottom}v4" stroke="#8c959f"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{tick:g} s</text>')
    for number, line in enumerate(panel.lines):
        color = COLORS[2] if line.level else COLORS[number]
        dash = ' stroke-dasharray="5 4"' if line.level else ""
        spots = [place(*point) for point in _corners(line)]
        if spots:
            parts.append(
                f'<polyline points="{" ".join(spots)}" fill="none" stroke="{color}"'
                f' stroke-width="1.5"{dash}/>'
            )
        y = top + 14 + 18 * number
        parts.append(
            f'<text x="{WIDTH - RIGHT + 12}" y="{y}" fill="{color}">{escape(line.name)}</text>'
        )
    return parts


def _corners(line: Line) -> Points:
    if not line.steps:
        return line.points
    found: list[tuple[float, float]] = []
    for second, value in line.points:
        if found:
            found.append((second, found[-1][1]))
        found.append((second, value))
    return found


def _ticks(end: float) -> list[float]:
    step = next(s for s in (10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 86_400) if end / s <= 10)
    return [float(number * step) for number in range(int(end // step) + 1)]
