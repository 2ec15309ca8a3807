"""What is removed together."""

from __future__ import annotations

PATTERNS: dict[str, str] = {
    "element": "single weights",
    "channel": "whole channels with all that is coupled to them; the stage ends with a smaller network",
}
