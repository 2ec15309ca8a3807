"""A BatchNorm behind integer codes equals the one behind weights."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.quant.attach import attach_quantizers
from disparsity.quant.bits import LayerBits
from disparsity.quant.folding.steps import norm_of_codes
from disparsity.quant.grids.codes import integer_codes
from disparsity.quant.quantizers.settings import QuantizerSettings


def statistics(norm: nn.Module) -> None:
    torch.manual_seed(1)
    norm.running_mean.normal_()  # type: ignore[operator, union-attr]
    norm.running_var.uniform_(0.01, 2)  # type: ignore[operator, union-attr]


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize(
    ("layer", "norm", "shape"),
    [
        (nn.Conv2d(3, 10, 3, bias=False), nn.BatchNorm2d, (2, 3, 6, 7)),
        (nn.Conv3d(2, 10, 3, bias=False), nn.BatchNorm3d, (1, 2, 5, 6, 7)),
        (nn.ConvTranspose3d(2, 10, 3, bias=False), nn.BatchNorm3d, (1, 2, 3, 4, 5)),
    ],
)
def test_codes_and_a_folded_norm_equal_weights_and_the_norm(
    layer: nn.Module, norm: type[nn.BatchNorm2d], shape: tuple[int, ...], affine: bool
) -> None:
    torch.manual_seed(0)
    layer = copy.deepcopy(layer)
    network = nn.Sequential(layer, norm(10, affine=affine)).eval()
    statistics(network[1])
    if affine:
        nn.init.uniform_(network[1].weight, -1, 1)
        nn.init.uniform_(network[1].bias, -1, 1)
    settings = QuantizerSettings(granularity="per_group", group_size=4)
    bits = {"0": LayerBits(weights=4, activations=32)}
    attach_quantizers(network, bits, quantizer="scale_clip", settings=settings)
    inputs = torch.randn(shape)
    expected = network(inputs).detach()
    codes, steps = integer_codes(layer)
    folded = norm_of_codes(network[1], steps)
    plain = type(layer)(layer.in_channels, 10, 3, bias=False)  # type: ignore[call-arg, arg-type]
    plain.weight.data = codes.float()
    found: Tensor = folded(plain(inputs))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert len(steps.unique()) == 3


def test_steps_that_do_not_fit() -> None:
    for norm, count in ((nn.BatchNorm2d(4), 3), (nn.BatchNorm2d(4, track_running_stats=False), 4)):
        with pytest.raises(InputError, match="cannot go into this BatchNorm"):
            norm_of_codes(norm, torch.ones(count))
