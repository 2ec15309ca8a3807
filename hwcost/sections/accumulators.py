"""How wide sums have to be: for any weights of the widths, for these weights, and for these weights on real pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from disparsity.hwcost.codec.packed_network import FloatLayer, PackedLayer
from disparsity.hwcost.models.accumulators import largest_sum, sum_bits
from disparsity.hwcost.tracing.layer_call import LayerCall

Sums = Mapping[str, int]
"""By layer with integer weights: the largest sum of its weights' sizes that meets in one output."""


def largest_sums(calls: Sequence[LayerCall], layers: Sequence[PackedLayer | FloatLayer] | None) -> Sums:
    """The sums of every layer that has integer weights and integer inputs."""
    stored = {layer.name: layer for layer in layers or () if isinstance(layer, PackedLayer)}
    return {
        call.name: largest_sum(stored[call.name], call)
        for call in calls
        if call.call == 0 and not call.is_float and call.name in stored
    }


def accumulators_section(calls: Sequence[LayerCall], sums: Sums, grid: Sums, seen: Sums) -> dict[str, Any]:
    """The widest accumulator of the layers in integers; None where none is, or where nothing was measured.

    Args:
        calls: all of the network.
        sums: of the weights, by layer.
        grid: the largest code of every layer's input grid.
        seen: the largest code of every layer's input on real pairs.

    """
    rows = [accumulator_columns(call, sums, grid, seen) for call in calls if call.weight_count and not call.is_float]
    return {
        "worst_case_bits": _widest([row["accumulator_bits"] for row in rows]),
        "weights_bits": _widest([row["accumulator_weights_bits"] for row in rows]),
        "data_bits": _widest([row["accumulator_data_bits"] for row in rows]),
        "integer_layers": len({call.name for call in calls if call.weight_count and not call.is_float}),
        "float_layers": len({call.name for call in calls if call.weight_count and call.is_float}),
    }


def accumulator_columns(call: LayerCall, sums: Sums, grid: Sums, seen: Sums) -> dict[str, Any]:
    """The layer table's columns; a part without weights has no accumulator."""
    return {
        "accumulator_bits": call.accumulator_bits if call.weight_count else None,
        "accumulator_weights_bits": _bits(call.name, sums, grid),
        "accumulator_data_bits": _bits(call.name, sums, seen),
    }


def _bits(name: str, sums: Sums, codes: Sums) -> int | None:
    return sum_bits(sums[name], codes[name]) if name in sums and name in codes else None


def _widest(bits: list[int | None]) -> int | None:
    """None where nothing is there, or where one layer is unknown."""
    known = [width for width in bits if width is not None]
    return max(known) if known and len(known) == len(bits) else None
