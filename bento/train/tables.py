"""Measures as text: aligned for a terminal, Markdown for a page."""

from collections.abc import Mapping, Sequence

AVERAGES = ("micro", "macro", "weighted")


def scores_table(scores: Mapping[str, float]) -> str:
    """The measures of one evaluation, for a terminal."""
    lines = [f"{'':10}{'precision':>11}{'recall':>9}{'F1':>9}"]
    for average in AVERAGES:
        p, r, f = (scores[f"{average}_{name}"] for name in ("precision", "recall", "f1"))
        lines.append(f"{average:10}{p:11.4f}{r:9.4f}{f:9.4f}")
    lines.append("")
    lines.append(f"accuracy {scores['accuracy']:.4f}   kappa {scores['kappa']:.4f}")
    lines.append(f"expected calibration error {scores['ece']:.4f}")
    lines.append(f"{scores['documents']:.0f} documents, {scores['docs_per_s']:.1f} a second")
    return "\n".join(lines)


def markdown(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; floats to three places, whole numbers with thousands apart."""
    lines = [_line(header), _line(["---"] + ["---:"] * (len(header) - 1))]
    lines += [_line([_cell(value) for value in row]) for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
