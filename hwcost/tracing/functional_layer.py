"""Functional layers: a product with a parameter that no module of torch computes, as the layer that it is."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Any

from torch import nn

from disparsity.base.layers import CONVOLUTIONS, TRANSPOSED
from disparsity.base.trace.operation import Operation, TracedTensor

_FIRST_FACTOR = {"mm": 0, "bmm": 0, "addmm": 1, "baddbmm": 1}
"""Where a matrix product has its two factors."""


@dataclass(frozen=True, kw_only=True)
class FunctionalLayer:
    """What a product is.

    Attributes:
        layer: a layer of torch of this shape, on the meta device.
        inputs: the factor that is no weight.
        weight: the factor that is.
        bias: what is added, if it is a parameter too.

    """

    layer: nn.Module
    inputs: TracedTensor
    weight: TracedTensor
    bias: TracedTensor | None


def functional_layer(event: Operation, weights: Container[int]) -> FunctionalLayer | None:
    """The layer that an operation computes; None if it is no product of a weight and something that is none.

    Args:
        event: of a trace.
        weights: storages that hold parameters, or what is computed from nothing else.

    """
    if event.operator == "convolution":
        inputs, weight, bias = event.args[:3]
        made = _convolution(event.args) if weight.storage in weights and inputs.storage not in weights else None
    elif event.operator in _FIRST_FACTOR:
        first = _FIRST_FACTOR[event.operator]
        inputs, weight = event.args[first : first + 2]
        bias = event.args[0] if first else None
        if inputs.storage in weights:
            inputs, weight = weight, inputs
        made = _linear(event, weight) if weight.storage in weights and inputs.storage not in weights else None
    else:
        return None
    known = bias if bias is not None and bias.storage in weights else None
    return FunctionalLayer(layer=made, inputs=inputs, weight=weight, bias=known) if made is not None else None


def _convolution(args: tuple[Any, ...]) -> nn.Module:
    _, weight, bias, stride, padding, dilation, transposed, output_padding, groups = args
    kinds, kernel = (TRANSPOSED if transposed else CONVOLUTIONS), weight.shape[2:]
    ends = (weight.shape[0], weight.shape[1] * groups)
    settings: dict[str, Any] = {"groups": groups, "bias": bias is not None, "device": "meta"}
    settings |= {name: _each(value, kernel) for name, value in
                 {"stride": stride, "padding": padding, "dilation": dilation}.items()}  # fmt: skip
    if transposed:
        settings["output_padding"] = _each(output_padding, kernel)
    kind: Any = kinds[len(kernel) - 1]
    made: nn.Module = kind(*(ends if transposed else reversed(ends)), tuple(kernel), **settings)
    return made


def _each(values: list[int], kernel: tuple[int, ...]) -> tuple[int, ...]:
    """One value per axis, where torch takes one for all as well."""
    return tuple(values) if len(values) == len(kernel) else tuple(values) * len(kernel)


def _linear(event: Operation, weight: TracedTensor) -> nn.Module | None:
    """Products of a stack of different matrices are no linear layer."""
    rows, columns = weight.shape[-2:]
    if weight.numel() != rows * columns:
        return None
    is_second = weight is event.args[_FIRST_FACTOR[event.operator] + 1]
    ends = (rows, columns) if is_second else (columns, rows)
    return nn.Linear(*ends, bias=event.operator in ("addmm", "baddbmm"), device="meta")
