"""A result file of several parts that are measured apart: each part replaces its own section."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from disparsity.base.atomic_io import write_text


def put_section(path: Path, name: str, text: str) -> None:
    """Replace the section `name` of a Markdown file, or add it at the end."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    section = f"{begin}{text.rstrip()}\n{end}"
    if begin in before:
        head, rest = before.split(begin, 1)
        write_text(path, head + section + rest.split(end, 1)[1])
    else:
        write_text(path, f"{before.rstrip()}\n\n{section}".lstrip())


def table(header: list[str], rows: list[list[str]]) -> list[str]:
    """Lines of a Markdown table."""
    return ["| " + " | ".join(cells) + " |" for cells in (header, ["---"] * len(header), *rows)]


def write_csv(path: Path, header: list[str], rows: list[list[str]]) -> None:
    """The same rows for machines."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([header, *rows])
    write_text(path, text.getvalue())
