"""Networks as checkpoints and back, and the refusal of another network's tensors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from disparsity.base.errors import InputError
from disparsity.checkpoint.checkpoints import SIDE_FILE, Checkpoint, load_checkpoint, save_checkpoint
from disparsity.checkpoint.restore import (
    network_checkpoint,
    network_metadata,
    open_network,
    restore_network,
    stage_of,
)
from disparsity.pruning.masks import attach_masks, masks_of, set_masks
from disparsity.pruning.prunable import prunable_layers
from disparsity.quant.activations.calibration import calibrate
from disparsity.quant.attach import attach_quantizers
from disparsity.quant.folding.batch_norm import fold_batchnorm
from disparsity.quant.layer_bits import uniform_bits
from disparsity.quant.settings import BitSettings
from disparsity.registries import ENTRIES
from disparsity.stereo.network import StereoNetwork


def outputs(network: StereoNetwork) -> torch.Tensor:
    views = torch.rand(2, 1, 3, 32, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return torch.stack(network(*views))


def mask(network: StereoNetwork) -> None:
    attach_masks(network, prunable_layers(network, network.spec.protected))
    generator = torch.Generator().manual_seed(1)
    set_masks(network, {n: torch.rand(m.shape, generator=generator) < 0.3 for n, m in masks_of(network).items()})


def quantize(network: StereoNetwork) -> None:
    views = tuple(torch.rand(2, 1, 3, 32, 64, generator=torch.Generator().manual_seed(2)))
    fold_batchnorm(network, views)
    attach_quantizers(network, uniform_bits(network, BitSettings()))
    calibrate(network, [views])


@pytest.mark.parametrize("stage", ["dense", "pruned", "quantized"])
def test_every_stage_comes_back_with_the_same_outputs(network: Any, tmp_path: Path, stage: str) -> None:
    net = network().eval()
    if stage != "dense":
        mask(net)
    if stage == "quantized":
        quantize(net)
    assert stage_of(net) == stage
    save_checkpoint(tmp_path / SIDE_FILE, network_checkpoint(net, {"seed": 3}))
    torch.manual_seed(99)
    again = open_network(str(tmp_path), None)
    assert stage_of(again) == stage
    assert not again.training
    assert again.spec == net.spec
    assert torch.equal(outputs(again), outputs(net))
    state = again.state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in net.state_dict().items())
    assert network_metadata(again) == network_metadata(net)
    assert load_checkpoint(tmp_path).metadata["seed"] == 3


def test_another_networks_tensors_are_refused_with_the_differences(network: Any, tmp_path: Path) -> None:
    small, large = network(), network(width=5)
    with pytest.raises(InputError, match=r"mis-shaped \['downsampling\.0\.weight \(5, 3, 5, 5\) for \(4, 3, 5, 5\)'"):
        restore_network(network_metadata(small), dict(large.state_dict()), tmp_path)
    tensors = dict(small.state_dict())
    del tensors["refine.0.bias"]
    tensors["stranger"] = torch.zeros(1)
    with pytest.raises(InputError, match=r"missing \['refine\.0\.bias'\], unexpected \['stranger'\]"):
        restore_network(network_metadata(small), tensors, tmp_path)


def test_masks_that_the_description_lacks_are_refused(network: Any, tmp_path: Path) -> None:
    net = network()
    metadata = network_metadata(net)
    mask(net)
    with pytest.raises(InputError, match="not a checkpoint of network 'stereonet'"):
        restore_network(metadata, dict(net.state_dict()), tmp_path)


def test_name_must_fit(network: Any, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / SIDE_FILE, network_checkpoint(network(), {}))
    assert open_network(str(tmp_path / SIDE_FILE), "stereonet").spec.name == "stereonet"
    with pytest.raises(InputError, match="another network; found stereonet; expected reference"):
        open_network(str(tmp_path), "reference")


def test_fresh_networks_follow_the_seed() -> None:
    first, second, third = (open_network("", "reference", seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not all(torch.equal(first[name], third[name]) for name in first)


def test_missing_files_and_missing_names(tmp_path: Path) -> None:
    for gone in (str(tmp_path / "gone"), "builtin:gone"):
        with pytest.raises(InputError, match="no such checkpoint"):
            open_network(gone, None)
    (tmp_path / "a.tar").write_bytes(b"x")
    with pytest.raises(InputError, match="needs its network's name; add --network NAME"):
        open_network(str(tmp_path / "a.tar"), None)


def test_a_run_state_is_no_network(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "resume.json", Checkpoint({"network.a": torch.zeros(1)}, {"step": 3}))
    with pytest.raises(InputError, match=r"resume\.json: this checkpoint holds no network"):
        open_network(str(tmp_path / "resume.json"), None)


def test_builtin_checkpoints_open_by_their_listed_names() -> None:
    for name in ENTRIES["checkpoints"]:
        network = open_network(name, None)
        assert torch.isfinite(outputs(network)).all()


def test_the_maximum_disparity_is_that_of_the_recipe(tmp_path: Path, checkpoint: Path) -> None:
    fresh = open_network("", "reference", 5, 32)
    assert fresh.spec.max_disparity == 32
    torch.save({"state_dict": fresh.state_dict()}, tmp_path / "published.pth")
    published = [open_network(str(tmp_path / "published.pth"), "reference", 0, maximum) for maximum in (32, 96)]
    assert [network.spec.max_disparity for network in published] == [32, 96]
    states = [network.state_dict() for network in published]
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert open_network(str(checkpoint), None, 0, 16).spec.max_disparity == 16
    with pytest.raises(InputError, match="checkpoint of another maximum disparity; found 16; expected 32"):
        open_network(str(checkpoint), None, 0, 32)
