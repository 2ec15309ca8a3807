"""Packed network as data: integer layers, float layers, other tensors, and a header."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from disparsity.quant.grids.levels import Levels


@dataclass(frozen=True, kw_only=True, eq=False)
class PackedLayer:
    """A layer with integer weights.

    Attributes:
        name: of the layer.
        codes: integers in the weight's shape.
        steps: ``[C]`` float16, one per index of `output_axis`. Of an output channel whose codes are all 0 the
            step is not stored; after reading it is 1.
        bits: the width of the codes.
        output_axis: 1 for transposed convolutions, else 0.
        term_bits: which integers are codes (`disparsity.quant.grids.levels`); 1 is all of the width.
        group: consecutive output channels that share a step, of which the first that holds anything is stored.

    """

    name: str
    codes: npt.NDArray[np.int64]
    steps: npt.NDArray[np.float16]
    bits: int
    output_axis: int = 0
    term_bits: int = 1
    group: int = 1

    @property
    def levels(self) -> Levels:
        """The integers that a code may be."""
        return Levels(self.bits, self.term_bits)


TRANSFORMED, MIXING = "transformed", "mixing"
"""The two factors of a weight that is stored as their product."""
_FACTOR = "::"


def factor_name(layer: str, factor: str) -> str:
    """The name of a packed layer that holds one factor of a layer's weight."""
    return f"{layer}{_FACTOR}{factor}"


def owner(name: str) -> str:
    """The layer that a packed layer of this name belongs to: itself, unless it is a factor."""
    return name.partition(_FACTOR)[0]


@dataclass(frozen=True, kw_only=True, eq=False)
class FloatLayer:
    """A layer whose weights stay in float32: positions of the non-zero weights and their values."""

    name: str
    values: npt.NDArray[np.float32]
    output_axis: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class PackedNetwork:
    """Everything a file holds.

    Attributes:
        layers: in order.
        tensors: what else the network needs (biases, steps of activations, BatchNorm), by name, any dtype.
        header: JSON values: the network's name and settings, bit widths, ...

    """

    layers: tuple[PackedLayer | FloatLayer, ...]
    tensors: Mapping[str, npt.NDArray[np.generic]] = field(default_factory=dict)
    header: Mapping[str, Any] = field(default_factory=dict)


def effective_weight(layer: PackedLayer | FloatLayer) -> npt.NDArray[np.float32]:
    """The float32 weight that the layer computes with: ``codes * steps``, each rounded once."""
    if isinstance(layer, FloatLayer):
        return layer.values
    shape = [1] * layer.codes.ndim
    shape[layer.output_axis] = -1
    return layer.codes.astype(np.float32) * layer.steps.astype(np.float32).reshape(shape)
