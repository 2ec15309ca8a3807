"""GwcNet: the forward pass of the published code step by step on a state dict, sizes, heads, and settings."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from disparsity.errors import InputError
from disparsity.stereo.networks import build_network
from disparsity.stereo.networks.gwcnet import GwcNetSettings

TINY: dict[str, Any] = {"width": 4, "groups": 5, "blocks": 2, "max_disparity": 32}


def tiny(name: str, **changes: Any) -> torch.nn.Module:
    torch.manual_seed(0)
    network = build_network(name, **(TINY | changes))
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network.eval()


def correlated(left: Tensor, right: Tensor, planes: int, groups: int) -> Tensor:
    batch, channels, height, width = left.shape
    volume = left.new_zeros(batch, groups, planes, height, width)
    for i in range(planes):
        product = left[..., i:] * right[..., : width - i]
        volume[:, :, i, :, i:] = product.view(batch, groups, channels // groups, height, width - i).mean(2)
    return volume


def redirected(code: Any, name: str, x: Tensor) -> Tensor:
    half = F.relu(code.conv(f"{name}.conv2.0", F.relu(code.conv(f"{name}.conv1.0", x, 2))))
    inner = F.relu(code.conv(f"{name}.conv4.0", F.relu(code.conv(f"{name}.conv3.0", half, 2))))
    up = F.relu(code.doubling(f"{name}.conv5", inner) + code.conv(f"{name}.redir2", half))
    return F.relu(code.doubling(f"{name}.conv6", up) + code.conv(f"{name}.redir1", x))


def by_hand(published: Any, network: torch.nn.Module, left: Tensor, right: Tensor) -> list[Tensor]:
    """All maps, coarse to fine, of views of a divisible size."""
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    code = published(network.state_dict())
    features = [torch.cat(code.stages((view - mean) / std, 2), 1) for view in (left, right)]
    volume = correlated(*features, 8, 5)
    if "feature_extraction.lastconv.2.weight" in code.state:
        heads = [F.relu(code.conv("feature_extraction.lastconv.0", item)) for item in features]
        merged = [F.conv2d(item, code.state["feature_extraction.lastconv.2.weight"]) for item in heads]
        volume = torch.cat([volume, code.concatenated(*merged, 8)], 1)
    costs = [code.entered(volume)]
    for name in ("dres2", "dres3", "dres4"):
        costs.append(redirected(code, name, costs[-1]))
    return [code.regressed(code.head(f"classif{i}", cost), 32, left, False) for i, cost in enumerate(costs)]


@pytest.mark.parametrize(("name", "changes"), [("gwcnet_g", {}), ("gwcnet_gc", {"concat_width": 3})])
def test_equals_the_published_forward_pass(published: Any, name: str, changes: dict[str, int]) -> None:
    network = tiny(name, **changes)
    left, right = torch.rand(2, 2, 3, 32, 48)
    with torch.no_grad():
        expected = by_hand(published, network, left, right)
        (finest,) = network(left, right)
        torch.testing.assert_close(finest, expected[-1], rtol=1e-4, atol=1e-4)
        network.train()
        for module in network.modules():
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                module.eval()
        for found, wanted in zip(network(left, right), expected, strict=True):
            torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


def test_published_sizes() -> None:
    # counted in the published code: 6.519 M and 6.910 M
    assert sum(p.numel() for p in build_network("gwcnet_g").parameters()) == 6_518_560
    assert sum(p.numel() for p in build_network("gwcnet_gc").parameters()) == 6_909_728


@pytest.mark.parametrize("name", ["gwcnet_g", "gwcnet_gc"])
def test_every_size_gives_finite_maps_and_one_loss_weight_each(name: str) -> None:
    network = tiny(name)
    left, right = torch.rand(2, 1, 3, 37, 50)
    for training in (False, True):
        network.train(training)
        maps = network(left, right)
        assert [disparity.shape for disparity in maps] == [(1, 37, 50)] * len(maps)
        assert all(bool(((disparity >= 0) & (disparity < 32)).all()) for disparity in maps)
    assert len(maps) == len(network.spec.loss_weights)


def test_exactly_the_layers_that_eval_mode_does_not_run_are_declared() -> None:
    network, called = tiny("gwcnet_gc"), set()
    for name, module in network.named_modules():
        if not list(module.children()):
            module.register_forward_hook(lambda *_args, name=name: called.add(name))
    with torch.no_grad():
        network(*torch.rand(2, 1, 3, 16, 32))
    silent = {name for name, module in network.named_modules() if not list(module.children())} - called
    assert {name.split(".")[0] for name in silent} == set(network.spec.training_only)
    assert all(name not in silent for name in network.spec.protected)


@pytest.mark.parametrize(
    "changes",
    [{"width": 0}, {"blocks": 0}, {"groups": 0}, {"groups": 7}, {"concat_width": -1}, {"max_disparity": 24}],
)
def test_impossible_settings_are_refused(changes: dict[str, int]) -> None:
    with pytest.raises(InputError, match=r"GwcNet .*found"):
        GwcNetSettings(**(TINY | changes))
