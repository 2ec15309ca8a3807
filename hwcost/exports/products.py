"""Matrix products of a network: one per layer call and group, in order, uniquely named.

A convolution in two or three dimensions, transposed or not, and a Linear layer are all lowered to one product
``[rows, depth] x [depth, columns]`` per group: rows are output positions (of a transposed convolution input
positions, whose products are added up afterwards), depth the products of one output, columns the output channels
(of a transposed convolution times the kernel). The number of products is that of the layer; overlapping windows
repeat their inputs, so that a tool's DRAM traffic of the rows counts them several times.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from disparsity.hwcost.models.cycles import MatrixProduct, lowered
from disparsity.hwcost.tracing.layer_call import LayerCall, Workload


@dataclass(frozen=True, kw_only=True)
class NamedProduct:
    """One product, the call it comes from, and a name without dots."""

    name: str
    call: LayerCall
    product: MatrixProduct


def named_products(workload: Workload) -> Iterator[NamedProduct]:
    """All products of the layers with weights; groups are repeated as products of their own."""
    for call in workload.calls:
        if not call.weight_count:
            continue
        product = lowered(call)
        for group in range(product.groups):
            suffix = f"_g{group}" if product.groups > 1 else ""
            yield NamedProduct(name=call_name(call) + suffix, call=call, product=product)


def call_name(call: LayerCall) -> str:
    """The layer's name without dots, and which of its calls this is."""
    return f"{call.name.replace('.', '_')}_c{call.call}"
