"""Timeloop's problem YAML: one document per layer, as a matrix product with the density of its real weights.

M is the rows, K the depth, N the columns of the product. The weights' density is that of the network's own zeros
(``fixed-structured`` model); activations are taken as dense. Overlapping windows repeat their inputs in the rows, so
that DRAM traffic of inputs counts them several times; products, cycles and the traffic of weights are the layer's.
"""

from __future__ import annotations

from disparsity.hwcost.exports.products import NamedProduct, named_products
from disparsity.hwcost.tracing.layer_call import Workload

_SHAPE = """    name: matrix_product
    dimensions: [M, N, K]
    data-spaces:
      - name: Inputs
        projection: [[[M]], [[K]]]
      - name: Weights
        projection: [[[K]], [[N]]]
      - name: Outputs
        projection: [[[M]], [[N]]]
        read-write: true
"""


def problems_yaml(workload: Workload) -> str:
    """A stream of YAML documents, one per layer with weights."""
    return "".join(_problem(one) for one in named_products(workload))


def _problem(one: NamedProduct) -> str:
    call, product = one.call, one.product
    return (
        f"---\n# {one.name}: {call.kind}, {call.weight_bits}-bit weights, {call.activation_bits}-bit activations\n"
        f"problem:\n  shape:\n{_SHAPE}  instance:\n    M: {product.rows}\n    N: {product.columns}\n"
        f"    K: {product.depth}\n    densities:\n      Weights:\n        distribution: fixed-structured\n"
        f"        density: {call.nnz / call.weight_count:.6f}\n"
    )
