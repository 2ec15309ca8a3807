"""A missing package gives one line with what to install."""

from __future__ import annotations

import math
import sys

import pytest

from disparsity.base.errors import InputError
from disparsity.base.extras import import_extra


def test_installed_packages_are_imported() -> None:
    assert import_extra("math", "onnx") is math


def test_missing_packages_are_named_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(InputError, match=r"the package onnxscript is not installed; pip install 'disparsity\[onnx\]'"):
        import_extra("onnxscript", "onnx")
