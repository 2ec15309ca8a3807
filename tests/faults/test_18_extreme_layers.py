"""Row 18: nothing left of a layer, nothing to quantize in it, no room in its accumulator."""

from __future__ import annotations

import pytest
import torch
from campaign.cycles import SIZES

from disparsity.pruning.masks import attach_masks, set_masks, zero_pruned
from disparsity.pruning.prunable import prunable_layers
from disparsity.quant.activations.calibration import calibrate
from disparsity.quant.attach import attach_quantizers
from disparsity.quant.finalise import finalise
from disparsity.quant.folding.batch_norm import fold_batchnorm
from disparsity.quant.layer_bits import uniform_bits
from disparsity.quant.settings import BitSettings
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network


def network() -> StereoNetwork:
    torch.manual_seed(0)
    return build_network("reference", **SIZES).eval()


def estimate(net: StereoNetwork, *views: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return net(*views)[-1]


@pytest.mark.parametrize("share", [0.0, 0.02])
def test_layers_without_weights_are_quantized_and_run(share: float) -> None:
    net, views = network(), torch.rand(2, 1, 3, 32, 64).unbind()
    layers = prunable_layers(net, net.spec.protected)
    attach_masks(net, layers)
    set_masks(net, {name: torch.rand_like(layer.weight) < share for name, layer in layers.items()})
    zero_pruned(net)
    fold_batchnorm(net, views)
    attach_quantizers(net, uniform_bits(net, BitSettings(weight_bits=4), first=net.spec.first))
    calibrate(net, [views])
    finalise(net)
    assert bool(torch.isfinite(estimate(net, *views)).all())
    kept = sum(int((layer.weight != 0).sum()) for layer in layers.values())
    assert kept <= share * 2 * sum(layer.weight.numel() for layer in layers.values())


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_views_without_contrast_calibrate(value: float) -> None:
    net, view = network(), torch.full((1, 3, 32, 64), value)
    fold_batchnorm(net, (view, view))
    attach_quantizers(net, uniform_bits(net, BitSettings(), first=net.spec.first))
    calibrate(net, [(view, view)])
    finalise(net)
    assert bool(torch.isfinite(estimate(net, view, view)).all())
    other = torch.rand(1, 3, 32, 64)
    assert bool(torch.isfinite(estimate(net, other, other)).all())


def test_a_masked_network_is_the_network_with_zeros() -> None:
    plain, masked, views = network(), network(), torch.rand(2, 1, 3, 32, 64).unbind()
    layers = prunable_layers(masked, masked.spec.protected)
    keep = {name: torch.rand_like(layer.weight) < 0.3 for name, layer in layers.items()}
    attach_masks(masked, layers)
    set_masks(masked, keep)
    with torch.no_grad():
        for name, mask in keep.items():
            plain.get_submodule(name).weight.mul_(mask)
    assert torch.allclose(estimate(plain, *views), estimate(masked, *views), rtol=0, atol=1e-6)
