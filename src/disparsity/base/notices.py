"""Notices: one line on standard error about something the user should know, from the first process only."""

from __future__ import annotations

import sys

from disparsity.base import distributed


def notice(text: str) -> None:
    """Print one line, `disparsity: TEXT`, on standard error."""
    if distributed.is_first():
        print(f"disparsity: {text}".replace("\n", " "), file=sys.stderr, flush=True)
