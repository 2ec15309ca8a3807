"""The encoders, which tests of several formats share."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def encoders() -> ModuleType:
    """The module `encoders.py` beside this file."""
    spec = importlib.util.spec_from_file_location("format_encoders", Path(__file__).with_name("encoders.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
