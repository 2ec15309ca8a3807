"""Tables of names straight from the registries: `{{ scores }}` in a page becomes the table of all scores."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from disparsity.registries import CATALOGUE


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in the tables of a page."""
    return re.sub(r"\{\{ (\w+) \}\}", lambda match: table(match.group(1)), markdown)


def table(kind: str) -> str:
    """A Markdown table of one kind of names, with their descriptions where they have any."""
    names = CATALOGUE[kind]()
    if not isinstance(names, Mapping):
        return "\n".join(f"- `{name}`" for name in names)
    rows = [f"| `{name}` | {_described(value)} |" for name, value in names.items()]
    return "\n".join(["| name | what it is |", "|---|---|", *rows])


def _described(value: object) -> str:
    text = value if isinstance(value, str) else (getattr(value, "__doc__", None) or "").partition("\n")[0]
    return text.replace("|", "\\|")
