"""Tables in pages: `{{ scores }}` becomes the table of all scores, `{{ recipe_keys }}` that of all keys of a recipe."""

from __future__ import annotations

import re
from typing import Any

from disparsity.recipe.keys import list_keys
from disparsity.recipe.recipe import Recipe
from disparsity.registries import summaries


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in the tables of a page."""
    return re.sub(r"\{\{ (\w+) \}\}", lambda match: table(match.group(1)), markdown)


def table(kind: str) -> str:
    """A Markdown table of one kind of names, with their descriptions."""
    if kind == "recipe_keys":
        return recipe_keys()
    described = {name: text.replace("|", "\\|") for name, text in summaries(kind).items()}
    rows = [f"| `{name}` | {text} |" for name, text in described.items()]
    return "\n".join(["| name | what it is |", "|---|---|", *rows])


def recipe_keys() -> str:
    """A Markdown table of every key of a recipe."""
    rows = [
        f"| `{key.path}` | {', '.join(key.methods)} | {key.type} | {key.default} | {key.meaning} |"
        for key in list_keys(Recipe)
    ]
    return "\n".join(["| key | read by | type | default | meaning |", "|---|---|---|---|---|", *rows])
