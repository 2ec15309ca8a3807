"""Sums of large products stay exact in OpenVINO on every machine once the model was treated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from disparsity.evaluation.sessions.saturation import SAFE_WEIGHT, avoid_saturation, sums_saturate

openvino = pytest.importorskip("openvino")
CHANNELS, SIDE, KERNEL = 6, 5, 3
F32 = {"INFERENCE_PRECISION_HINT": "f32"}


def model_of(weight: int, transposed: bool) -> Any:
    """A 3D convolution of activations on the grid 0..255 with one weight everywhere, in signed bytes."""
    opset = openvino.opset13
    values = opset.parameter([1, CHANNELS, SIDE, SIDE, SIDE], openvino.Type.f32)
    ends = [opset.constant(np.float32(end)) for end in (0, 255)]
    codes = opset.constant(np.full((CHANNELS, CHANNELS, KERNEL, KERNEL, KERNEL), weight, np.int8))
    weights = opset.multiply(opset.convert(codes, openvino.Type.f32), opset.constant(np.float32(0.5)))
    operation = opset.convolution_backprop_data if transposed else opset.convolution
    arguments = {"strides": [1] * 3, "pads_begin": [0] * 3, "pads_end": [0] * 3, "dilations": [1] * 3}
    return openvino.Model([operation(opset.fake_quantize(values, *ends, *ends, 256), weights, **arguments)], [values])


def largest(model: Any) -> float:
    """The centre of the output for the largest input: every weight meets 255 there."""
    inputs = np.full((1, CHANNELS, SIDE, SIDE, SIDE), 255, np.float32)
    found = openvino.Core().compile_model(model, "CPU", F32)(inputs)[0]
    return float(found[(0, 0, *(size // 2 for size in found.shape[2:]))])


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(("weight", "changed"), [(127, 1), (-127, 1), (SAFE_WEIGHT + 1, 1), (SAFE_WEIGHT, 0), (-64, 0)])
def test_sums_are_exact(weight: int, changed: int, transposed: bool) -> None:
    model = model_of(weight, transposed)
    assert avoid_saturation(model) == changed
    assert largest(model) == pytest.approx(0.5 * weight * 255 * CHANNELS * KERNEL**3, rel=1e-5)


@pytest.mark.parametrize("transposed", [False, True])
def test_the_probe_tells_whether_the_treatment_is_needed(transposed: bool) -> None:
    exact = 0.5 * 127 * 255 * CHANNELS * KERNEL**3
    assert (abs(largest(model_of(127, transposed)) / exact - 1) > 0.01) == sums_saturate()
