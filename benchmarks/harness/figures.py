"""Figure of one value over another: a line per series through the means, a band from the smallest to the largest."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable

from matplotlib.figure import Figure

from harness.rows import Row


def lines(rows: Iterable[Row], x: str, y: str, series: str, *, log: str = "", size: tuple[float, float] = (7, 4.5)):
    """Rows as lines; `x` and `series` are values of the case, `y` is a figure, `log` names the logarithmic axes."""
    found: dict[str, dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row["found"].get(y) is not None:
            found[str(row["case"][series])][float(row["case"][x])].append(row["found"][y])
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    for name, points in found.items():
        places = sorted(points)
        (line,) = axes.plot(places, [statistics.mean(points[p]) for p in places], "o-", markersize=4, label=name)
        low, high = ([edge(points[p]) for p in places] for edge in (min, max))
        axes.fill_between(places, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
    axes.set(xlabel=x, ylabel=y)
    axes.set_xscale("log" if "x" in log else "linear")
    axes.set_yscale("log" if "y" in log else "linear")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize=8)
    return figure
