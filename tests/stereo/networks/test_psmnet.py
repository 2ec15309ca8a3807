"""PSMNet: the forward pass of the published code step by step on a state dict, sizes, names, and settings."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from disparsity.errors import InputError
from disparsity.stereo.networks import build_network
from disparsity.stereo.networks.psmnet import PSMNetSettings

TINY: dict[str, Any] = {"width": 4, "blocks": 2, "largest_pool": 8, "max_disparity": 32}


def tiny(name: str = "psmnet_hourglass", **changes: Any) -> torch.nn.Module:
    torch.manual_seed(0)
    network = build_network(name, **(TINY | changes))
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network.eval()


def by_hand(published: Any, network: torch.nn.Module, left: Tensor, right: Tensor, align: bool) -> list[Tensor]:
    """All maps of PSMNet, coarse to fine, of views of a divisible size."""
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    code = published(network.state_dict())
    features = [code.pyramid((view - mean) / std, 2, 8, align) for view in (left, right)]
    cost = code.entered(code.concatenated(*features, 8))
    if "classify.2.weight" in code.state:
        for name in ("dres2", "dres3", "dres4"):
            cost = code.residual(name, cost) + cost
        scores = [code.head("classify", cost)]
    else:
        one, pre, post = code.hourglass("dres2", cost, None, None)
        two, _, post = code.hourglass("dres3", one + cost, pre, post)
        three, _, _ = code.hourglass("dres4", two + cost, pre, post)
        scores = [code.head("classif1", one + cost)]
        scores.append(code.head("classif2", two + cost) + scores[-1])
        scores.append(code.head("classif3", three + cost) + scores[-1])
    return [code.regressed(score, 32, left, align) for score in scores]


@pytest.mark.parametrize("align", [True, False])
@pytest.mark.parametrize("name", ["psmnet_basic", "psmnet_hourglass"])
def test_equals_the_published_forward_pass(published: Any, name: str, align: bool) -> None:
    network = tiny(name, align_corners=align)
    left, right = torch.rand(2, 2, 3, 48, 64)
    with torch.no_grad():
        expected = by_hand(published, network, left, right, align)
        maps = network(left, right)
        assert len(maps) == 1
        torch.testing.assert_close(maps[-1], expected[-1], rtol=1e-4, atol=1e-4)
        network.train()
        for module in network.modules():
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                module.eval()
        for found, wanted in zip(network(left, right), expected, strict=True):
            torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


def test_published_sizes() -> None:
    # Source: JiaRenChang/PSMNet prints 5,224,768; 3.673 M counted in the published code for the basic variant
    assert sum(p.numel() for p in build_network("psmnet_hourglass").parameters()) == 5_224_768
    assert sum(p.numel() for p in build_network("psmnet_basic").parameters()) == 3_672_896


@pytest.mark.parametrize("name", ["psmnet_basic", "psmnet_hourglass"])
def test_every_size_gives_finite_maps_and_one_loss_weight_each(name: str) -> None:
    network = tiny(name)
    left, right = torch.rand(2, 1, 3, 37, 50)
    for training in (False, True):
        network.train(training)
        maps = network(left, right)
        assert [disparity.shape for disparity in maps] == [(1, 37, 50)] * len(maps)
        assert all(bool(((disparity >= 0) & (disparity < 32)).all()) for disparity in maps)
    assert len(maps) == len(network.spec.loss_weights)


def test_the_factor_of_the_2018_weights_scales_every_map() -> None:
    left, right = torch.rand(2, 1, 3, 32, 32)
    with torch.no_grad():
        plain, scaled = tiny()(left, right)[-1], tiny(output_factor=1.17)(left, right)[-1]
    torch.testing.assert_close(scaled, plain * 1.17)


@pytest.mark.parametrize(
    "changes",
    [{"width": 0}, {"blocks": 0}, {"largest_pool": 4}, {"max_disparity": 24}, {"max_disparity": 0}]
    + [{"output_factor": factor} for factor in (0.0, -1.0, float("nan"), float("inf"))],
)
def test_impossible_settings_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"PSMNet .*found"):
        PSMNetSettings(**(TINY | changes))
