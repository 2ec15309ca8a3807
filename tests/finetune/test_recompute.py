"""Activation checkpointing: the same gradients, BatchNorm counted once, less kept."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from disparsity.datasets.batches.stream import Batch
from disparsity.finetune.objective import Objective
from disparsity.finetune.recompute import recomputed_volumes, volume_parts
from disparsity.finetune.settings import TrainSettings
from disparsity.finetune.training import Trainer
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network

SMALL = {
    "reference": {"width": 4, "refinement_width": 2, "max_disparity": 16},
    "psmnet_hourglass": {"width": 4, "blocks": 1, "largest_pool": 8, "max_disparity": 16},
}


def small(name: str) -> StereoNetwork:
    torch.manual_seed(0)
    return build_network(name, **SMALL[name]).train()


def batch(network: StereoNetwork) -> Batch:
    generator = torch.Generator().manual_seed(1)
    side = max(32, 2 * network.spec.divisor)
    left, right = torch.rand(2, 2, 3, side, 2 * side, generator=generator).unbind()
    truth = 12 * torch.rand(2, side, 2 * side, generator=generator)
    return Batch(left=left, right=right, disparity=truth, valid=truth > 1, ids=("a", "b"))


def kept_values(network: StereoNetwork, given: Batch) -> int:
    """How many values autograd holds between forward and backward, each storage once."""
    kept: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        maps = network(given.left, given.right)
    del maps
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


@pytest.mark.parametrize("name", SMALL)
def test_one_step_is_the_same_bit_for_bit(name: str) -> None:
    plain = small(name)
    saving = copy.deepcopy(plain)
    given = batch(plain)
    for network, wanted in ((plain, False), (saving, True)):
        settings = TrainSettings(steps=2, recompute_3d=wanted)
        Trainer(network, lambda _step: given, Objective(settings=settings)).run("train")
    counted = [value for key, value in saving.state_dict().items() if key.endswith("num_batches_tracked")]
    assert counted
    assert all(int(value) == 2 for value in counted)
    assert all(torch.equal(value, saving.state_dict()[key]) for key, value in plain.state_dict().items())
    for one, other in zip(plain.parameters(), saving.parameters(), strict=True):
        assert (one.grad is None) == (other.grad is None)
        assert one.grad is None or torch.equal(one.grad, other.grad)


def test_parts_are_small_modules_around_3d_convolutions() -> None:
    assert [name for name, _ in volume_parts(small("reference"))] == [f"cost_volume_filter.{n}" for n in range(4)]
    found = [name for name, _ in volume_parts(small("psmnet_hourglass"))]
    assert found[:3] == ["dres0", "dres1", "dres2.conv1"]
    assert found[-3:] == ["classif1", "classif2", "classif3"]
    assert list(volume_parts(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv3d(1, 1, 3)))) == []


@pytest.mark.parametrize(("name", "share"), [("reference", 1.0), ("psmnet_hourglass", 0.9)])
def test_less_is_kept(name: str, share: float) -> None:
    network = small(name)
    given = batch(network)
    whole = kept_values(network, given)
    with recomputed_volumes(network) as parts:
        assert parts
        # what is kept inside a part is packed by checkpointing itself, which our hook does not see
        assert kept_values(network, given) < share * whole


def test_a_copy_made_meanwhile_computes_with_its_own_weights() -> None:
    network = small("reference")
    given = batch(network)
    with recomputed_volumes(network):
        other = copy.deepcopy(network)
        with torch.no_grad():
            for parameter in other.parameters():
                parameter.zero_()
        maps = other.eval()(given.left, given.right)
        assert float(maps[0].detach().std()) < 1e-5  # every disparity equally likely
        maps[-1].sum().backward()
    assert all(parameter.grad is None for parameter in network.parameters())
    assert "forward" not in vars(network.cost_volume_filter[0])


def test_nothing_is_changed_where_nothing_is_wanted() -> None:
    network = small("reference")
    with recomputed_volumes(network, wanted=False) as parts:
        assert parts == []
        assert "forward" not in vars(network.cost_volume_filter[0])
