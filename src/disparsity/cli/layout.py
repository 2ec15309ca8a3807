"""Layout of help texts: descriptions are wrapped, the lines of examples stay as they are."""

from __future__ import annotations

import argparse


class HelpLayout(argparse.HelpFormatter):
    """Keeps the lines of a text that begins with an example, so that each can be copied."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if text.startswith("example"):
            return "\n".join(f"{indent}{line}" for line in text.splitlines())
        return super()._fill_text(text, width, indent)
