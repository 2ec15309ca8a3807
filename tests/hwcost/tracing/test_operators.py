"""Operations outside of layers: what kind of work each is, counted by hand."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from disparsity.hwcost.tracing.operators import OPERATORS
from disparsity.hwcost.tracing.workload import trace_workload


class Gather(nn.Module):
    """The neighbours that deterministic bilinear up-sampling picks before it blends them."""

    def forward(self, values: Tensor) -> Tensor:
        rows = torch.tensor([0, 0, 1], device=values.device).unsqueeze(1)
        return torch.ops.aten._unsafe_index(values, [None, None, rows, torch.tensor([2, 0], device=values.device)])


def test_the_gather_of_deterministic_up_sampling_moves_and_computes_nothing() -> None:
    workload = trace_workload(Gather(), (torch.zeros(1, 5, 2, 4),))
    (gather,) = [call for call in workload.calls if call.kind == "upsampling"]
    assert workload.unmodelled == ()
    assert workload.modelled_bytes == workload.counted_bytes
    assert gather.output_shape == (1, 5, 3, 2)
    assert (gather.elementwise_ops, gather.dense_macs, gather.fused) == (0, 0, False)


def test_blending_costs_its_products_and_sums() -> None:
    operations = {name: OPERATORS[name].operations(10, 100) for name in ("upsample_bilinear2d", "upsample_trilinear3d")}
    assert operations == {"upsample_bilinear2d": 700, "upsample_trilinear3d": 1500}  # 4 + 3 and 8 + 7 per output
