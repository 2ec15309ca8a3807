"""Saturation of integer sums on processors without VNNI, and how it is avoided in OpenVINO.

On x86 processors without VNNI, two products of 8-bit activations and 8-bit weights are added in 16 bits and cut off
there, silently: 255·127·2 does not fit, 255·64·2 does. Source: oneDNN's developer guide, "Nuances of int8
computations". Such layers run in float here, which is exact; layers of 7 bits and less keep their integer kernels.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from disparsity.base.extras import import_extra

SAFE_WEIGHT = 64
"""The largest magnitude of a weight of which two products with 255 fit into 16 bits with a sign."""
_LEVELS = 256
_CHANNELS = 16
_WEIGHT = 127


@functools.cache
def sums_saturate() -> bool:
    """Whether OpenVINO's integer convolutions go wrong on this machine, found by running the largest sum."""
    openvino = import_extra("openvino", "openvino")
    compiled = openvino.Core().compile_model(_largest_sum(openvino), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    largest = float(_LEVELS - 1)
    found = compiled(np.full((1, _CHANNELS, 8, 8), largest, np.float32))[0]
    return not np.allclose(found, _CHANNELS * largest * _WEIGHT, rtol=1e-3)


def avoid_saturation(model: Any) -> int:
    """Give every layer whose sums could be cut off weights in float, in place; returns how many there were.

    Args:
        model: an ``openvino.Model``.

    """
    opset = import_extra("openvino", "openvino").opset13
    found = [(node, weights) for node in model.get_ops() if (weights := _large_weights(node)) is not None]
    for node, weights in found:
        node.output(0).replace(opset.constant(weights.astype(np.float32)).output(0))
    return len(found)


def _large_weights(node: Any) -> Any:
    """The values behind a conversion of constant signed bytes to float where one is too large, else None."""
    if node.get_type_name() != "Convert":
        return None
    source = node.input_value(0).get_node()
    if source.get_type_name() != "Constant" or source.get_element_type().get_type_name() != "i8":
        return None
    values = source.get_data()
    return values if np.abs(values.astype(np.int16)).max(initial=0) > SAFE_WEIGHT else None


def _largest_sum(openvino: Any) -> Any:
    """One 1×1 convolution of activations on the grid 0..255 with the largest weights."""
    opset = openvino.opset13
    values = opset.parameter([1, _CHANNELS, 8, 8], openvino.Type.f32)
    ends = [opset.constant(np.float32(end)) for end in (0, _LEVELS - 1)]
    activations = opset.fake_quantize(values, *ends, *ends, _LEVELS)
    codes = opset.constant(np.full((_CHANNELS, _CHANNELS, 1, 1), _WEIGHT, np.int8))
    weights = opset.multiply(opset.convert(codes, openvino.Type.f32), opset.constant(np.float32(1)))
    result = opset.convolution(activations, weights, [1, 1], [0, 0], [0, 0], [1, 1])
    return openvino.Model([result], [values])
