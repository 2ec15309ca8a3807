"""ZigZag's loops multiply to the layer's MACs, and its relations between axes are those of the layer."""

from __future__ import annotations

import math
import re

import pytest
import torch
from torch import nn

from disparsity.hwcost.exports import zigzag
from disparsity.hwcost.tracing.layer_call import Workload
from disparsity.hwcost.tracing.workload import trace_workload


def traced(layer: nn.Module, *shape: int) -> Workload:
    return trace_workload(nn.Sequential(layer), (torch.zeros(shape),))


def loops(text: str) -> dict[str, int]:
    """Names and sizes of ZigZag's loops of a single layer."""
    names, numbers = (re.findall(rf"loop_{what}: \[(.*?)\]", text)[0].split(", ") for what in ("dims", "sizes"))
    return dict(zip(names, map(int, numbers), strict=True))


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Conv1d(2, 4, 3), (1, 2, 9)),
        (nn.Conv2d(4, 8, (3, 5), stride=2, padding=1, groups=2), (1, 4, 8, 10)),
        (nn.Conv3d(2, 4, 3, padding=2, dilation=2), (2, 2, 5, 6, 7)),
        (nn.ConvTranspose3d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2), (1, 4, 3, 4, 5)),
        (nn.Linear(6, 5), (7, 6)),
    ],
    ids=["1d", "2d", "3d", "transposed", "linear"],
)
def test_the_loops_for_zigzag_multiply_to_the_layers_macs(layer: nn.Module, shape: tuple[int, ...]) -> None:
    found = traced(layer, *shape)
    assert math.prod(loops(zigzag.workload_yaml(found)).values()) == found.dense_macs


def test_a_three_dimensional_convolution_for_zigzag() -> None:
    text = zigzag.workload_yaml(traced(nn.Conv3d(32, 16, 3, stride=(1, 2, 2), padding=1), 1, 32, 8, 16, 32))
    expected = {"B": 1, "G": 1, "K": 16, "C": 32, "OD": 8, "OY": 8, "OX": 16, "FD": 3, "FY": 3, "FX": 3}
    assert loops(text) == expected
    assert "equation: O[b][g][k][od][oy][ox]+=W[g][k][c][fd][fy][fx]*I[b][g][c][id][iy][ix]\n" in text
    assert "dimension_relations: [id=1*od+1*fd, iy=2*oy+1*fy, ix=2*ox+1*fx]\n" in text
    assert "pr_loop_dims: [ID, IY, IX]\n  pr_loop_sizes: [8, 16, 32]\n" in text
    assert "padding: [[1, 1], [1, 0], [1, 0]]\n" in text  # the stride leaves the far padding unread


def test_outputs_of_a_transposed_convolution_follow_from_its_inputs_for_zigzag() -> None:
    text = zigzag.workload_yaml(traced(nn.ConvTranspose2d(4, 8, 4, stride=2, padding=1), 1, 4, 5, 6))
    assert loops(text) == {"B": 1, "G": 1, "K": 8, "C": 4, "IY": 5, "IX": 6, "FY": 4, "FX": 4}
    assert "dimension_relations: [oy=2*iy+1*fy, ox=2*ix+1*fx]\n" in text
    assert "pr_loop_dims: [OY, OX]\n  pr_loop_sizes: [10, 12]\n" in text
    assert "padding: [[1, 1], [1, 1]]\n" in text
