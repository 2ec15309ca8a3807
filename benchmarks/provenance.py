"""What every result file says about itself: command, commit, machine."""

from __future__ import annotations

import datetime
import platform
import subprocess
from pathlib import Path

import torch


def provenance(command: str) -> list[str]:
    """Lines of Markdown for the end of a result file."""
    root = Path(__file__).parent
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=root, capture_output=True, text=True, check=True
    )
    dirty = subprocess.run(["git", "status", "--porcelain"], cwd=root, capture_output=True, text=True, check=True)
    state = " with uncommitted changes" if dirty.stdout.strip() else ""
    return [
        f"Command: `{command}`",
        "",
        f"Commit {commit.stdout.strip()}{state}, {datetime.datetime.now(datetime.UTC):%Y-%m-%d}; {_processor()}, "
        f"{torch.get_num_threads()} thread(s) here; Python {platform.python_version()}, torch {torch.__version__}.",
    ]


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    names = [line.split(":", 1)[1].strip() for line in path.read_text().splitlines() if line.startswith("model name")]
    return f"{len(names)} cores of {names[0]}" if names else platform.processor()
