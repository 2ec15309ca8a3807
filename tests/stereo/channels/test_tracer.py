"""Volumes, siamese calls and what hides from the tracer: coupling and removal."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from disparsity.stereo.channels.coupling import KEPT, ChannelCoupling
from disparsity.stereo.volumes.concatenation import ConcatenationVolume
from disparsity.stereo.volumes.correlation import CorrelationVolume
from disparsity.stereo.volumes.difference import DifferenceVolume
from disparsity.stereo.volumes.groupwise import GroupwiseVolume
from disparsity.stereo.volumes.interlaced import Interlace
from disparsity.stereo.volumes.l1 import L1Volume

Check = Callable[..., ChannelCoupling]


class Matching(nn.Module):
    """A tower, a volume, a convolution on the volume."""

    def __init__(self, volume: nn.Module, behind: nn.Module, *, siamese: bool = True) -> None:
        super().__init__()
        self.tower = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        other = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.other = self.tower if siamese else other
        self.volume, self.behind = volume, behind

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return self.behind(self.volume(self.tower(left), self.other(right)))


class Interlaced(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.interlace = Interlace()

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return self.interlace(left, right, 1)


VOLUMES: dict[str, Callable[[], tuple[nn.Module, nn.Module]]] = {
    "difference": lambda: (DifferenceVolume(3), nn.Conv3d(8, 2, 3)),
    "concatenation": lambda: (ConcatenationVolume(3), nn.Conv3d(16, 2, 3)),
    "correlation": lambda: (CorrelationVolume(3), nn.Conv2d(3, 2, 3)),
    "groupwise": lambda: (GroupwiseVolume(3, 4), nn.Conv3d(4, 2, 3)),
    "l1": lambda: (L1Volume(3), nn.Conv2d(3, 2, 3)),
}
PAIR = torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8)


@pytest.mark.parametrize("siamese", [True, False])
@pytest.mark.parametrize("name", VOLUMES)
def test_the_views_lose_the_same_channels(check: Check, name: str, siamese: bool) -> None:
    torch.manual_seed(1)
    coupling = check(Matching(*VOLUMES[name](), siamese=siamese), *PAIR)
    other = coupling.outputs["tower.0" if siamese else "other.0"]
    assert coupling.obstacles == ()
    if name == "concatenation":
        assert coupling.inputs["behind"] == coupling.outputs["tower.0"] + other
    else:
        assert coupling.outputs["tower.0"] == other == tuple(range(8))


def test_groups_of_a_correlation_stay_equal(check: Check) -> None:
    coupling = check(Matching(*VOLUMES["groupwise"]()), *PAIR)
    assert coupling.balanced == (((0, 1), (2, 3), (4, 5), (6, 7)),)
    assert coupling.averages == {"volume": 8}
    assert set(coupling.inputs["behind"]) == {KEPT}


def test_interlaced_channels_are_kept(check: Check) -> None:
    coupling = check(Matching(Interlaced(), nn.Conv3d(1, 2, 3)), *PAIR)
    assert set(coupling.outputs["tower.0"]) == {KEPT}
    assert coupling.obstacles == ("Interlace at volume.interlace",)


def test_a_volume_between_features_and_a_constant(check: Check) -> None:
    class Half(Matching):
        def forward(self, left: Tensor, right: Tensor) -> Tensor:
            return self.behind(self.volume(self.tower(left), torch.ones_like(right).repeat(1, 3, 1, 1)[:, :8]))

    coupling = check(Half(*VOLUMES["difference"]()), *PAIR)
    assert set(coupling.outputs["tower.0"]) == {KEPT}
    assert coupling.obstacles == ("DifferenceVolume at volume",)


class Plain(nn.Module):
    """Two convolutions with something between them."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 2, 1)

    def between(self, x: Tensor) -> Tensor:
        return x

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.between(self.first(x)))


class Alias(Plain):
    def between(self, x: Tensor) -> Tensor:
        return torch.as_strided(x, x.shape, x.stride())


class Scaled(Plain):
    def between(self, x: Tensor) -> Tensor:
        buffer = torch.ones(1, 4, 1, 1).expand(x.shape).clone()
        buffer.mul_(x)
        return buffer


@pytest.mark.parametrize("network", [Alias(), Scaled()])
def test_a_tensor_that_hides_where_it_comes_from_keeps_its_channels(check: Check, network: nn.Module) -> None:
    assert set(check(network, torch.rand(1, 3, 4, 4)).outputs["first"]) == {KEPT}


class TrainingHead(Plain):
    """A second reader of the features, in training mode only."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Conv2d(4, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        features = self.first(x)
        return self.second(features) + self.head(features) if self.training else self.second(features)


def test_readers_in_training_mode_count(check: Check) -> None:
    network = TrainingHead()
    coupling = check(network, torch.rand(1, 3, 4, 4))
    assert coupling.inputs["head"] == coupling.inputs["second"] == coupling.outputs["first"] == (0, 1, 2, 3)


def test_a_layer_that_is_called_twice_ties_what_it_reads(check: Check) -> None:
    class Twice(Plain):
        def __init__(self) -> None:
            super().__init__()
            self.other = nn.Conv2d(3, 4, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.second(self.first(x)) + self.second(self.other(x))

    coupling = check(Twice(), torch.rand(1, 3, 4, 4))
    assert coupling.outputs["first"] == coupling.outputs["other"] == coupling.inputs["second"]


def test_a_layer_that_never_runs_and_shared_weights_are_kept(check: Check) -> None:
    network = nn.Sequential(nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1))
    network[1].weight = network[0].weight
    network.add_module("spare", nn.Identity())
    network.spare.layer = nn.Conv2d(4, 4, 1)
    coupling = check(network, torch.rand(1, 4, 4, 4))
    assert coupling.units == 0


def test_a_weight_that_is_read_outside_of_its_layer_keeps_its_size(check: Check) -> None:
    class Tied(Plain):
        def forward(self, x: Tensor) -> Tensor:
            return self.second(self.first(x)) + F.conv2d(torch.ones(1, 4, 4, 4), self.second.weight)

    coupling = check(Tied(), torch.rand(1, 3, 4, 4))
    assert set(coupling.outputs["first"]) == {KEPT}
