from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from disparsity.quant.grids.codes import integer_codes
from disparsity.quant.integer.geometry import bare_layer, channel_steps, largest_sums, spatial_axes

Build = Callable[..., tuple[nn.Module, Tensor]]


def test_a_bare_layer_computes_the_same_without_the_bias(quantized: Build, kind: str) -> None:
    layer, view = quantized(kind)
    bare = bare_layer(layer, layer.weight.detach())  # type: ignore[arg-type, operator]
    layer._forward_pre_hooks.clear()
    if layer.bias is not None:
        layer.bias.data.zero_()
    assert torch.equal(bare(view), layer(view))
    assert [name for name, _ in bare.named_parameters()] == ["weight"]


def test_the_largest_sum_is_that_of_ones_in_the_middle_of_a_large_input(quantized: Build, kind: str) -> None:
    layer, view = quantized(kind)
    codes, _ = integer_codes(layer)
    axes = spatial_axes(layer)
    ones = torch.ones(1, *([view.shape[1]] + [14] * axes if axes else [view.shape[-1]]), dtype=torch.float64)
    response = bare_layer(layer, codes.double().abs())(ones)[0]
    expected = response.flatten(1).amax(1) if axes else response
    assert largest_sums(layer, codes) == expected.tolist()


def test_groups_of_a_transposed_convolution_share_their_steps() -> None:
    layer = nn.ConvTranspose2d(4, 6, 3, groups=2)
    assert channel_steps(layer, torch.tensor([1.0, 2.0, 3.0])) == [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]
    assert channel_steps(nn.Conv2d(4, 3, 3), torch.tensor([1.0, 2.0, 3.0])) == [1.0, 2.0, 3.0]
