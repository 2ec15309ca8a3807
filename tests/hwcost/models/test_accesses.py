from __future__ import annotations

import numpy as np
import pytest

from disparsity.hwcost.models.accesses import ACCESSES, Accesses
from disparsity.hwcost.models.cycles import MatrixProduct, lowered


def walked(dataflow: str, product: MatrixProduct, rows: int, columns: int) -> Accesses:
    """The array's folds, one after the other, every word counted as it is moved."""
    counts = {"input_reads": 0, "weight_reads": 0, "partial_writes": 0, "partial_reads": 0}
    heights = {"os": product.rows, "ws": product.depth, "is": product.depth}[dataflow]
    widths = {"os": product.columns, "ws": product.columns, "is": product.rows}[dataflow]
    started = np.zeros((product.rows, product.columns), bool)
    for top in range(0, heights, rows):
        for left in range(0, widths, columns):
            tall, wide = min(rows, heights - top), min(columns, widths - left)
            if dataflow == "os":
                counts["input_reads"] += tall * product.depth
                counts["weight_reads"] += wide * product.depth
                done = started[top : top + tall, left : left + wide]
            elif dataflow == "ws":
                counts["weight_reads"] += tall * wide
                counts["input_reads"] += tall * product.rows
                done = started[:, left : left + wide]
            else:
                counts["input_reads"] += tall * wide
                counts["weight_reads"] += tall * product.columns
                done = started[left : left + wide]
            counts["partial_reads"] += int(done.sum())
            counts["partial_writes"] += done.size
            done[...] = True
    return Accesses(**counts)


@pytest.mark.parametrize("dataflow", ACCESSES)
@pytest.mark.parametrize("size", [(1, 1, 1), (5, 7, 3), (33, 17, 40), (16, 32, 16)])
def test_closed_forms_equal_a_walk_over_the_folds(dataflow: str, size: tuple[int, int, int]) -> None:
    product = MatrixProduct(rows=size[0], depth=size[1], columns=size[2])
    assert ACCESSES[dataflow](product, 8, 4) == walked(dataflow, product, 8, 4)


def test_partial_sums_dominate_a_deep_three_dimensional_layer(anchors) -> None:
    moved = ACCESSES["ws"](lowered(anchors["C3D"]), 16, 16)
    assert moved.partial_writes == 4096 * 16 * 54  # 864 products deep, 54 folds
    assert moved.input_reads == 4096 * 864
    assert moved.weight_reads == 13824
    assert moved.partial_writes + moved.partial_reads > 0.6 * moved.total


def test_groups_move_their_own_words() -> None:
    one = ACCESSES["os"](MatrixProduct(rows=5, depth=9, columns=3), 4, 4)
    four = ACCESSES["os"](MatrixProduct(rows=5, depth=9, columns=3, groups=4), 4, 4)
    assert four.total == 4 * one.total
