"""Figures as text: three or four digits with a unit that fits; None is always "not known"."""

from __future__ import annotations

from typing import Any

from disparsity.hwcost.models.quantities import UNKNOWN

_BYTES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "B"))
_COUNTS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1, ""))
_ENERGY_PJ = ((1e12, "J"), (1e9, "mJ"), (1e6, "µJ"), (1e3, "nJ"), (1, "pJ"))
_AREA_UM2 = ((1e6, "mm²"), (1, "µm²"))


def bytes_text(value: float | None) -> str:
    """Bytes in decimal units: ``1536 -> 1.54 kB``."""
    return _scaled(value, _BYTES)


def capacity_text(value: float | None) -> str:
    """Bytes of a memory in binary units where they are whole: ``131072 -> 128 KiB``."""
    for size, unit in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if value and value % size == 0:
            return f"{value // size:,.0f} {unit}"
    return bytes_text(value)


def count_text(value: float | None) -> str:
    """A count with a decimal prefix: ``4_718_592 -> 4.72 M``."""
    return _scaled(value, _COUNTS)


def energy_text(value_pj: float | None) -> str:
    """Energy given in picojoules, in the unit that fits."""
    return _scaled(value_pj, _ENERGY_PJ)


def area_text(value_um2: float | None) -> str:
    """Area given in square micrometres, in the unit that fits."""
    return _scaled(value_um2, _AREA_UM2)


def percent_text(value: float | None) -> str:
    """A percentage of 0..100."""
    return UNKNOWN if value is None else f"{value:.2f} %"


def change_text(reduction_percent: float | None) -> str:
    """A reduction as a signed change: 97.5 becomes ``−97.50 %``; rounding never claims a full 100 %."""
    if reduction_percent is None:
        return UNKNOWN
    digits = 2
    while digits < 6 and reduction_percent < 100 and round(reduction_percent, digits) >= 100:
        digits += 1
    if round(reduction_percent, digits) == 0:
        return f"{0:.{digits}f} %"
    sign = "−" if reduction_percent > 0 else "+"
    return f"{sign}{abs(reduction_percent):.{digits}f} %"


def pixels_text(value: float | None) -> str:
    """An end-point error in pixels."""
    return UNKNOWN if value is None else f"{value:.3f} px"


def milliseconds_text(value: float | None) -> str:
    """A time in milliseconds, in four digits."""
    return UNKNOWN if value is None else f"{value:,.4g} ms"


def ratio_text(before: float | None, after: float | None) -> str:
    """How many times `after` is `before`."""
    if before is None or after is None or before == 0:
        return UNKNOWN
    return f"×{after / before:.2f}"


def exact_text(value: Any) -> str:
    """A table cell: whole and large numbers with thousands separators, others with five digits."""
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float) and abs(value) >= 1e5:
        return f"{value:,.0f}"
    if isinstance(value, float):
        return f"{int(value):,}" if value.is_integer() else f"{value:,.5g}"
    return "×".join(str(item) for item in value) if isinstance(value, list | tuple) else str(value)


def _scaled(value: float | None, units: tuple[tuple[float, str], ...]) -> str:
    if value is None:
        return UNKNOWN
    size, unit = next(((size, unit) for size, unit in units if abs(value) >= size), units[-1])
    number = value / size
    text = f"{number:,.0f}" if abs(number) >= 100 or (size == 1 and number == int(number)) else f"{number:#.3g}"
    return f"{text} {unit}".rstrip()
