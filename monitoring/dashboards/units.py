"""Numbers as Grafana writes them, for the units that the dashboards use."""

import math
from typing import Final

_SECONDS: Final = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
_LARGE: Final = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
SUFFIXES: Final = {"reqps": " req/s", "cps": "/s", "short": ""}
UNITS: Final = {"s", "percentunit", *SUFFIXES}


def written(value: float, unit: str) -> str:
    """The number with its unit, to three or four digits."""
    if not math.isfinite(value):
        return "∞" if value > 0 else "no number"
    if unit == "percentunit":
        return f"{100 * value:.0f} %" if abs(value) >= 10 else f"{round(100 * value, 2):g} %"
    if unit == "s":
        for size, name in _SECONDS:
            if abs(value) >= size:
                return f"{value / size:.3g} {name}"
        return f"{value:.3g} s"
    for size, name in _LARGE:
        if abs(value) >= size:
            return f"{value / size:.3g}{name}{SUFFIXES[unit]}"
    return f"{value:.3g}{SUFFIXES[unit]}"
