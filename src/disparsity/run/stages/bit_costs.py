"""Bit costs: the cost of each layer at each number of weight bits, in the unit of the allocation's budget."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import nn

from disparsity.base.errors import InputError, exact
from disparsity.base.layers import effective_weight
from disparsity.hwcost.models.energy import mac_energy_pj
from disparsity.hwcost.models.entropy import entropy_bits
from disparsity.hwcost.models.operations import mac_product
from disparsity.hwcost.profiles.technology import Profile
from disparsity.hwcost.tracing.layer_call import LayerCall
from disparsity.quant.bits import FLOAT_BITS, LayerBits

Price = Callable[[Sequence[LayerCall], Profile], float]

PRICES: dict[str, Price] = {
    "bytes": lambda calls, _profile: calls[0].nnz * calls[0].weight_bits / 8,
    "bops": lambda calls, _profile: sum(map(mac_product, calls)),
    "energy": mac_energy_pj,
}
"""What the calls of one layer cost, by the name of the budget; positions of non-zero weights come on top of bytes."""


@dataclass(frozen=True, kw_only=True)
class LayerWork:
    """One layer, as its costs see it.

    Attributes:
        calls: of the layer, in float, in one run of the network.
        position_bytes: entropy bound of which weights are not zero.

    """

    calls: tuple[LayerCall, ...]
    position_bytes: float

    def cost(self, bits: LayerBits, budget: str, profile: Profile) -> float:
        """What the layer costs at these widths, in the unit of the budget."""
        calls = [replace(call, weight_bits=bits.weights, activation_bits=bits.activations) for call in self.calls]
        return PRICES[budget](calls, profile) + (self.position_bytes if budget == "bytes" else 0.0)

    def dense_cost(self, budget: str, profile: Profile) -> float:
        """What the layer costs in float32 with all its weights."""
        whole = [replace(call, nnz=call.weight_count) for call in self.calls]
        return PRICES[budget](whole, profile)


def layer_works(calls: Iterable[LayerCall], layers: Mapping[str, nn.Module]) -> dict[str, LayerWork]:
    """The work of the named layers, from the calls of a float network (`trace_workload`)."""
    by_layer: dict[str, list[LayerCall]] = defaultdict(list)
    for call in calls:
        by_layer[call.name].append(replace(call, weight_bits=FLOAT_BITS, activation_bits=FLOAT_BITS))
    return {
        name: LayerWork(calls=tuple(by_layer[name]), position_bytes=_position_bytes(layer))
        for name, layer in layers.items()
    }


def cost_at(costs: Sequence[float], widths: Sequence[int], bits: float) -> float:
    """The cost at a width that need not be whole: on the line between the two candidates around it.

    Raises:
        InputError: no two candidates are around it.

    """
    if len(widths) == 1:
        return costs[0]
    if not widths[0] <= bits <= widths[-1]:
        expected = f"{widths[0]}..{widths[-1]}, or other candidates"
        raise InputError("the budget lies outside of the candidates", found=f"{exact(bits)} bits", expected=expected)
    return float(np.interp(bits, widths, costs))


def _position_bytes(layer: nn.Module) -> float:
    return entropy_bits((effective_weight(layer) != 0).cpu().numpy().astype(np.int64)) / 8
