"""Buffer accesses of a systolic array, in words: reads of operands, and writes and reads of partial sums.

Source: Samajdar et al., SCALE-Sim, 2018, section 3, counts checked against version 3.0.0 by
`benchmarks/hardware_cost.py`. Its output-stationary write counts are not followed: it adds rows + columns of the array
for every fold to the outputs written, 12.5 % where folds are full and more where they are not.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from disparsity.hwcost.models.cycles import MatrixProduct


@dataclass(frozen=True, kw_only=True)
class Accesses:
    """Words moved between the buffers and the array.

    Attributes:
        input_reads: of activations.
        weight_reads: of weights.
        partial_writes: of sums, finished or not.
        partial_reads: of sums that are not finished, to continue them.

    """

    input_reads: int
    weight_reads: int
    partial_writes: int
    partial_reads: int

    @property
    def total(self) -> int:
        """All words."""
        return self.input_reads + self.weight_reads + self.partial_writes + self.partial_reads


def output_stationary(product: MatrixProduct, rows: int, columns: int) -> Accesses:
    """Sums stay in the array: inputs once per fold of columns, weights once per fold of rows."""
    work = product.rows * product.depth
    return _accesses(
        product,
        input_reads=work * math.ceil(product.columns / columns),
        weight_reads=product.columns * product.depth * math.ceil(product.rows / rows),
        folds=1,
    )


def weight_stationary(product: MatrixProduct, rows: int, columns: int) -> Accesses:
    """Weights stay: every fold of the depth writes a partial sum per output, and reads it but for the first."""
    return _accesses(
        product,
        input_reads=product.rows * product.depth * math.ceil(product.columns / columns),
        weight_reads=product.depth * product.columns,
        folds=math.ceil(product.depth / rows),
    )


def input_stationary(product: MatrixProduct, rows: int, columns: int) -> Accesses:
    """Inputs stay: weights once per fold of output pixels, partial sums as with weights in place."""
    return _accesses(
        product,
        input_reads=product.rows * product.depth,
        weight_reads=product.depth * product.columns * math.ceil(product.rows / columns),
        folds=math.ceil(product.depth / rows),
    )


ACCESSES: dict[str, Callable[[MatrixProduct, int, int], Accesses]] = {
    "os": output_stationary,
    "ws": weight_stationary,
    "is": input_stationary,
}


def _accesses(product: MatrixProduct, *, input_reads: int, weight_reads: int, folds: int) -> Accesses:
    outputs = product.rows * product.columns
    return Accesses(
        input_reads=product.groups * input_reads,
        weight_reads=product.groups * weight_reads,
        partial_writes=product.groups * outputs * folds,
        partial_reads=product.groups * outputs * (folds - 1),
    )
