"""Fixtures that every test can use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real pairs and published weights; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("DISPARSITY_DATA", ROOT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"no real data at {folder}; set DISPARSITY_DATA")
    return folder
