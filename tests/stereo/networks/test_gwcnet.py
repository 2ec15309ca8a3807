"""GwcNet: the forward pass of the published code step by step on a state dict, sizes, heads, and settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from disparsity.base.errors import InputError
from disparsity.stereo.networks import build_network
from disparsity.stereo.networks.gwcnet import GwcNetSettings
from disparsity.stereo.networks.published import load_published

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


def tower_names(concat: bool) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tower's convolutions in the code of xy-guo/GwcNet, `models/gwcnet.py`."""
    root, names = "feature_extraction", {}
    for place, inputs in ((0, 3), (2, 32), (4, 32)):
        names[f"{root}.firstconv.{place}"] = (32, inputs, 3, 3)
    inputs = 32
    for stage, outputs, blocks in ((1, 32, 3), (2, 64, 16), (3, 128, 3), (4, 128, 3)):
        for block in range(blocks):
            names[f"{root}.layer{stage}.{block}.conv1.0"] = (outputs, inputs, 3, 3)
            names[f"{root}.layer{stage}.{block}.conv2"] = (outputs, outputs, 3, 3)
            if inputs != outputs:
                names[f"{root}.layer{stage}.{block}.downsample"] = (outputs, inputs, 1, 1)
            inputs = outputs
    return names | ({f"{root}.lastconv.0": (128, 320, 3, 3)} if concat else {})


def aggregation_names(concat: bool) -> dict[str, tuple[int, ...]]:
    """The same of the aggregation."""
    cube, one = (3, 3, 3), (1, 1, 1)
    names = {f"dres{i}.{place}": (32, 32, *cube) for i in (0, 1) for place in (0, 2)}
    names["dres0.0"] = (32, 64 if concat else 40, *cube)
    for i in (2, 3, 4):
        names |= {
            f"dres{i}.conv1.0": (64, 32, *cube),
            f"dres{i}.conv2.0": (64, 64, *cube),
            f"dres{i}.conv3.0": (128, 64, *cube),
            f"dres{i}.conv4.0": (128, 128, *cube),
            f"dres{i}.conv5": (128, 64, *cube),
            f"dres{i}.conv6": (64, 32, *cube),
            f"dres{i}.redir1": (32, 32, *one),
            f"dres{i}.redir2": (64, 64, *one),
        }
    return names | {f"classif{i}.0": (32, 32, *cube) for i in range(4)}


def published_state(concat: bool) -> dict[str, Tensor]:
    """A state as `torch.nn.DataParallel` writes it."""
    state: dict[str, Tensor] = {}
    for name, shape in (tower_names(concat) | aggregation_names(concat)).items():
        channels = shape[1] if name.endswith(("conv5", "conv6")) else shape[0]
        state[f"module.{name}.0.weight"] = torch.full(shape, 0.5)
        for key in ("weight", "bias", "running_mean", "running_var"):
            state[f"module.{name}.1.{key}"] = torch.ones(channels)
        state[f"module.{name}.1.num_batches_tracked"] = torch.tensor(7)
    for i in range(4):
        state[f"module.classif{i}.2.weight"] = torch.full((1, 32, 3, 3, 3), 0.5)
    if concat:
        state["module.feature_extraction.lastconv.2.weight"] = torch.full((12, 128, 1, 1), 0.5)
    return state


@pytest.mark.parametrize(("name", "concat"), [("gwcnet_g", False), ("gwcnet_gc", True)])
def test_states_with_the_published_names_and_shapes_load(tmp_path: Path, name: str, concat: bool) -> None:
    torch.save({"epoch": 15, "model": published_state(concat), "optimizer": {}}, tmp_path / "checkpoint_000015.ckpt")
    network = load_published(tmp_path / "checkpoint_000015.ckpt", name)
    assert all(bool((p == (0.5 if p.dim() > 1 else 1.0)).all()) for p in network.parameters())


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
