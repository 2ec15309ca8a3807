"""Provenance of a measurement: command, commit, date, and machine."""

from __future__ import annotations

import datetime
import platform
import subprocess
from pathlib import Path

import torch

ROOT = Path(__file__).parents[2]


def provenance(command: str) -> dict[str, str]:
    """Where a row comes from, as plain text by name."""
    dirty = " with uncommitted changes" if _git("status", "--porcelain") else ""
    return {
        "command": command,
        "commit": _git("rev-parse", "--short", "HEAD") + dirty,
        "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}",
        "machine": f"{_processor()}, {torch.get_num_threads()} thread(s); Python {platform.python_version()}, "
        f"torch {torch.__version__}",
    }


def as_text(made: dict[str, str]) -> str:
    """The same as a sentence for a page."""
    return f"Command: `{made['command']}`; commit {made['commit']}, {made['date']}; {made['machine']}."


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} cores of {names[0]}" if names else platform.processor()
