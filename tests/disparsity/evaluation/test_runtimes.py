"""A network in a runtime: what it is, and names that are none; the command's tests run them."""

from __future__ import annotations

from pathlib import Path

import pytest

from disparsity.base.errors import InputError
from disparsity.evaluation.runtimes import open_in_runtime


def test_the_network_brings_its_stage_and_range(checkpoint: Path, deployable: Path) -> None:
    found = open_in_runtime(str(checkpoint), None, "torch")
    assert (found.stage, found.max_disparity) == ("dense", 16)
    assert open_in_runtime(str(deployable), "reference", "torch").stage == "quantized"


def test_an_unknown_runtime_is_named() -> None:
    with pytest.raises(InputError, match="unknown runtime 'nonsense'; expected torch, onnxruntime, openvino, integer"):
        open_in_runtime("builtin:reference", None, "nonsense")
