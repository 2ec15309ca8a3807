"""Markdown tables and their cells, and their places in a page that is otherwise written by hand."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.rows import Row, values

NOT_RUN = "not run"


@dataclass(frozen=True)
class Table:
    """A table of a page; `name` is that of its marks."""

    name: str
    header: Sequence[str]
    rows: Sequence[Sequence[object]]

    def lines(self) -> list[str]:
        """The table in Markdown."""
        return [f"| {' | '.join(map(str, cells))} |" for cells in (self.header, ["---"] * len(self.header), *self.rows)]


def with_tables(page: str, tables: Iterable[Table]) -> str:
    """The page with every table between its marks, those without marks left out."""
    for table in tables:
        begin, end = f"<!-- table: {table.name} -->\n", f"<!-- end of {table.name} -->\n"
        if begin in page:
            head, rest = page.split(begin, 1)
            page = head + begin + "\n".join(table.lines()) + "\n" + end + rest.split(end, 1)[1]
    return page


def mean_and_range(rows: Iterable[Row], figure: str, digits: int = 3) -> str:
    """Mean, and behind it the smallest and largest of several."""
    found = values(rows, figure)
    if not found:
        return NOT_RUN
    middle = f"{statistics.mean(found):.{digits}f}"
    if len(found) == 1:
        return middle
    return f"{middle} ({min(found):.{digits}f} to {max(found):.{digits}f}, n={len(found)})"


def grouped(value: float) -> str:
    """A whole number with separators; a fraction with four digits."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}"


def against(ours: float, theirs: float) -> str:
    """``=`` where nothing differs, else the other figure as a multiple of ours."""
    if ours == theirs:
        return "="
    return f"x{theirs / ours:.4g}" if ours else "differs"


def pivot(name: str, rows: Sequence[Row], down: Sequence[str], across: str, figure: str, digits: int = 3) -> Table:
    """Mean and range of a figure by values of the case: `down` name the rows, `across` the columns."""
    columns = sorted({row["case"][across] for row in rows})
    found: dict[tuple[str, ...], dict[object, list[Row]]] = {}
    for row in rows:
        cells = found.setdefault(tuple(str(row["case"][key]) for key in down), {})
        cells.setdefault(row["case"][across], []).append(row)
    lines = [
        (*place, *(mean_and_range(cells.get(column, []), figure, digits) for column in columns))
        for place, cells in found.items()
    ]
    return Table(name, (*down, *(f"{figure}, {across} {column:g}" for column in columns)), lines)


def listing(name: str, rows: Sequence[Row], keys: Sequence[str], figures: Sequence[str]) -> Table:
    """One line a row: values of the case, then figures."""
    lines = [(*(_cell(r["case"].get(k)) for k in keys), *(_cell(r["found"].get(f)) for f in figures)) for r in rows]
    return Table(name, (*keys, *figures), lines)


def _cell(value: object) -> str:
    if isinstance(value, bool | str | list) or value is None:
        return "" if value is None else str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
