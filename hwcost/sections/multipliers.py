"""What the weights cost as wires: constant multipliers made of shifts and adds, every output fully unrolled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from disparsity.hwcost.codec.packed_network import FloatLayer, PackedLayer, owner
from disparsity.hwcost.models.shift_and_add import ShiftAdds, shift_adds
from disparsity.hwcost.models.storage import weight_rows
from disparsity.hwcost.tracing.layer_call import LayerCall


def shift_add_counts(layers: Sequence[PackedLayer | FloatLayer] | None) -> dict[str, ShiftAdds]:
    """The cost of every layer with integer weights, by name; weights in factors are no wires."""
    return {
        layer.name: shift_adds(weight_rows(layer.codes, layer.output_axis))
        for layer in layers or ()
        if isinstance(layer, PackedLayer) and owner(layer.name) == layer.name
    }


def multipliers_section(counts: Mapping[str, ShiftAdds], calls: Sequence[LayerCall]) -> dict[str, Any]:
    """Adders of all layers in integers, each layer once; None where no layer is."""
    alive = {call.name: call.nnz for call in calls if call.call == 0 and call.name in counts}
    weights = sum(alive.values())
    shifted = sum(counts[name].shift_only_share * nnz for name, nnz in alive.items())
    return {
        "multiplier_adders": sum(each.multiplier_adders for each in counts.values()) if counts else None,
        "sum_adders": sum(each.sum_adders for each in counts.values()) if counts else None,
        "shifts": sum(each.shifts for each in counts.values()) if counts else None,
        "shift_only_percent": 100 * shifted / weights if weights else None,
        "adders_per_weight": sum(each.multiplier_adders for each in counts.values()) / weights if weights else None,
    }


def multiplier_columns(call: LayerCall, counts: Mapping[str, ShiftAdds]) -> dict[str, Any]:
    """The layer table's columns, with the first call of a layer."""
    found = counts.get(call.name) if call.call == 0 else None
    return {
        "multiplier_adders": found.multiplier_adders if found else None,
        "sum_adders": found.sum_adders if found else None,
        "shifts": found.shifts if found else None,
        "shift_only_percent": 100 * found.shift_only_share if found else None,
    }
