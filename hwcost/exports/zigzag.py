"""ZigZag's workload YAML: every layer as matrix products, ``O[b][k] += W[k][c] * I[b][c]``.

Written as products because ZigZag reads two spatial axes only and would silently count a three-dimensional
convolution as one of its planes. B is the rows, C the depth, K the columns of the product; precisions are those of
the network, sums in the worst-case width. Layers are listed in order without data dependencies.
"""

from __future__ import annotations

from disparsity.hwcost.exports.products import NamedProduct, named_products
from disparsity.hwcost.layer_call import Workload


def workload_yaml(workload: Workload) -> str:
    """The YAML list of all layers with weights."""
    return "".join(_layer(index, one) for index, one in enumerate(named_products(workload)))


def _layer(index: int, one: NamedProduct) -> str:
    call, product = one.call, one.product
    lines = [
        f"- id: {index}",
        f"  name: {one.name}",
        "  operator_type: Gemm",
        "  equation: O[b][k]+=W[k][c]*I[b][c]",
        "  dimension_relations: []",
        "  loop_dims: [B, K, C]",
        f"  loop_sizes: [{product.rows}, {product.columns}, {product.depth}]",
        "  operand_precision:",
        f"    W: {call.weight_bits}",
        f"    I: {call.activation_bits}",
        f"    O: {call.accumulator_bits}",
        f"    O_final: {call.activation_bits}",
        "  operand_source:",
        f"    W: {index}",
        f"    I: {index}",
    ]
    return "\n".join(lines) + "\n"
