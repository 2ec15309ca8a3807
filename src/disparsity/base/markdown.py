"""Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_ESCAPED = {"&": "&amp;", "<": "&lt;", "|": "\\|", "[": "\\[", "*": "\\*", "_": "\\_", "`": "\\`", "\n": " ", "\r": " "}


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are taken as they are."""
    return "\n".join(_line(cells) for cells in (heads, ["---"] * len(heads), *rows))


def escaped_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells in which no sign is taken for markup."""
    return markdown_table([escaped(cell) for cell in heads], [[escaped(cell) for cell in row] for row in rows])


def escaped(text: str) -> str:
    """Text that neither ends a cell nor is taken for markup."""
    return "".join(_ESCAPED.get(sign, sign) for sign in text)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
