"""Tables of names from the registries: `{{ scores }}` in a page becomes the table of all scores."""

from __future__ import annotations

import re
from typing import Any

from disparsity.registries import summaries


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in the tables of a page."""
    return re.sub(r"\{\{ (\w+) \}\}", lambda match: table(match.group(1)), markdown)


def table(kind: str) -> str:
    """A Markdown table of one kind of names, with their descriptions."""
    described = {name: text.replace("|", "\\|") for name, text in summaries(kind).items()}
    rows = [f"| `{name}` | {text} |" for name, text in described.items()]
    return "\n".join(["| name | what it is |", "|---|---|", *rows])
