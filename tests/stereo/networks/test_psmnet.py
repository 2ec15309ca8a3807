"""PSMNet: the forward pass of the published code step by step on a state dict, sizes, names, and settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from disparsity.base.errors import InputError
from disparsity.stereo.networks import build_network
from disparsity.stereo.networks.psmnet import PSMNetSettings
from disparsity.stereo.networks.published import load_published

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


def tower_names() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tower's convolutions in the code of JiaRenChang/PSMNet, `models/submodule.py`."""
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
    names |= {f"{root}.branch{branch}.1": (32, 128, 1, 1) for branch in (1, 2, 3, 4)}
    return names | {f"{root}.lastconv.0": (128, 320, 3, 3)}


def aggregation_names(hourglass: bool) -> dict[str, tuple[int, ...]]:
    """The same of `models/basic.py` and `models/stackhourglass.py`."""
    cube = (3, 3, 3)
    names = {f"dres{i}.{place}": (32, 32, *cube) for i in (0, 1) for place in (0, 2)}
    names["dres0.0"] = (32, 64, *cube)
    if not hourglass:
        names |= {f"dres{i}.{place}": (32, 32, *cube) for i in (2, 3, 4) for place in (0, 2)}
        return names | {"classify.0": (32, 32, *cube)}
    for i in (2, 3, 4):
        names |= {f"dres{i}.{part}": (64, 64, *cube) for part in ("conv2", "conv3.0", "conv4.0", "conv5")}
        names |= {f"dres{i}.conv1.0": (64, 32, *cube), f"dres{i}.conv6": (64, 32, *cube)}
        names[f"classif{i - 1}.0"] = (32, 32, *cube)
    return names


def published_state(hourglass: bool) -> dict[str, Tensor]:
    """A state as `torch.nn.DataParallel` writes it; the first layers hold numbers that tests recognise."""
    state: dict[str, Tensor] = {}
    for name, shape in (tower_names() | aggregation_names(hourglass)).items():
        channels = shape[1] if name.endswith("conv6") else shape[0]
        state[f"module.{name}.0.weight"] = torch.full(shape, 0.5)
        for key in ("weight", "bias", "running_mean", "running_var"):
            state[f"module.{name}.1.{key}"] = torch.ones(channels)
    for head in ("classif1", "classif2", "classif3") if hourglass else ("classify",):
        state[f"module.{head}.2.weight"] = torch.full((1, 32, 3, 3, 3), 0.5)
    state["module.feature_extraction.lastconv.2.weight"] = torch.full((32, 128, 1, 1), 0.5)
    return state


@pytest.mark.parametrize(
    ("name", "hourglass"),
    [
        ("psmnet_basic", False),
        ("psmnet_hourglass", True),
        ("psmnet_sceneflow_2018", True),
        ("psmnet_sceneflow_2021", True),
    ],
)
def test_states_with_the_published_names_and_shapes_load(tmp_path: Path, name: str, hourglass: bool) -> None:
    state = published_state(hourglass)
    torch.save({"epoch": 10, "state_dict": state, "train_loss": 1.0}, tmp_path / "pretrained.tar")
    network = load_published(tmp_path / "pretrained.tar", name)
    assert all(bool((p == (0.5 if p.dim() > 1 else 1.0)).all()) for p in network.parameters())


def test_presets_fit_the_published_weights() -> None:
    facts = {
        name: (build_network(name).spec.settings["align_corners"], build_network(name).spec.settings["output_factor"])
        for name in ("psmnet_basic", "psmnet_hourglass", "psmnet_sceneflow_2018", "psmnet_sceneflow_2021")
    }
    # Source: issues 135 and 224 of JiaRenChang/PSMNet
    assert list(facts.values()) == [(True, 1.0), (True, 1.0), (True, 1.17), (False, 1.0)]


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
