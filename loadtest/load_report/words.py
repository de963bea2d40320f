"""Numbers as a reader wants them."""

from typing import Final

NOTHING: Final = "-"


def duration(seconds: float | None) -> str:
    """Three digits in the unit that fits."""
    if seconds is None:
        return NOTHING
    if seconds < 0.9995:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 999.5 else f"{seconds:.0f} s"


def rate(a_second: float | None) -> str:
    """Requests a second."""
    if a_second is None:
        return NOTHING
    return f"{a_second:,.0f}/s" if a_second >= 100 else f"{a_second:.3g}/s"


def share(ratio: float | None) -> str:
    """Percent; what is not 0 does not look like it."""
    if ratio is None:
        return NOTHING
    percent = 100 * ratio
    if percent in {0, 100}:
        return f"{percent:.0f} %"
    if percent > 99:
        return f"{min(percent, 99.999):.3f} %"
    return f"{percent:.1f} %" if percent >= 1 else f"{max(percent, 0.001):.2g} %"


def count(number: float | None) -> str:
    """With thousands apart."""
    if number is None:
        return NOTHING
    return f"{number:,.0f}" if number == round(number) else f"{number:,.1f}"


def size(number_of_bytes: int) -> str:
    """In MiB."""
    return f"{number_of_bytes / 2**20:.0f} MiB"


def with_unit(value: float | None, unit: str) -> str:
    """By the unit of an objective."""
    return {"s": duration, "ratio": share, "1/s": rate}[unit](value)
