"""Layers of every kind: what their structure ties, and that removal keeps to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from disparsity.stereo.channels.coupling import KEPT, ChannelCoupling
from disparsity.stereo.channels.layers import can_shrink, ends_of
from disparsity.stereo.channels.nodes import Nodes

Check = Callable[..., ChannelCoupling]

CHAINS: dict[str, tuple[list[nn.Module], tuple[int, ...]]] = {
    "2D": ([nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 2, 3)], (2, 3, 8, 8)),
    "pre-activation": ([nn.Conv2d(3, 6, 3), nn.ReLU(), nn.BatchNorm2d(6), nn.Conv2d(6, 2, 3)], (2, 3, 8, 8)),
    "3D": ([nn.Conv3d(3, 6, 3), nn.BatchNorm3d(6), nn.PReLU(6), nn.Conv3d(6, 2, 3)], (2, 3, 8, 8, 8)),
    "one slope": ([nn.Conv2d(3, 6, 3), nn.PReLU(), nn.Dropout(0.5), nn.Conv2d(6, 2, 3)], (2, 3, 8, 8)),
    "1D": ([nn.Conv1d(3, 6, 3), nn.BatchNorm1d(6), nn.Hardtanh(), nn.ConvTranspose1d(6, 2, 3)], (2, 3, 8)),
    "unbatched": ([nn.Conv2d(3, 6, 3), nn.Hardswish(), nn.Conv2d(6, 2, 3)], (3, 8, 8)),
    "transposed": ([nn.ConvTranspose2d(3, 6, 3, stride=2), nn.Tanh(), nn.ConvTranspose2d(6, 2, 3)], (2, 3, 4, 4)),
    "transposed 3D": ([nn.ConvTranspose3d(3, 6, 3), nn.BatchNorm3d(6), nn.Conv3d(6, 2, 3)], (2, 3, 4, 4, 4)),
    "linear": ([nn.Linear(3, 6), nn.GELU(), nn.Linear(6, 2)], (4, 5, 3)),
    "depthwise": (
        [nn.Conv2d(3, 6, 1), nn.Conv2d(6, 6, 3, groups=6), nn.BatchNorm2d(6), nn.Conv2d(6, 2, 1)],
        (2, 3, 8, 8),
    ),
    "depthwise, widened": ([nn.Conv2d(3, 4, 1), nn.Conv2d(4, 8, 3, groups=4), nn.Conv2d(8, 2, 1)], (2, 3, 8, 8)),
    "depthwise, transposed": (
        [nn.Conv2d(3, 4, 1), nn.ConvTranspose2d(4, 8, 3, groups=4), nn.Conv2d(8, 2, 1)],
        (2, 3, 8, 8),
    ),
    "grouped": ([nn.Conv2d(3, 6, 1), nn.Conv2d(6, 9, 3, groups=3), nn.ReLU(), nn.Conv2d(9, 2, 1)], (2, 3, 8, 8)),
    "grouped, transposed": (
        [nn.Conv2d(3, 6, 1), nn.ConvTranspose2d(6, 9, 3, groups=3), nn.Conv2d(9, 2, 1)],
        (2, 3, 8, 8),
    ),
    "padding that repeats": ([nn.Conv2d(3, 6, 3, padding=1, padding_mode="reflect"), nn.Conv2d(6, 2, 1)], (2, 3, 8, 8)),
}


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_loses_channels(check: Check, name: str) -> None:
    torch.manual_seed(0)
    layers, shape = CHAINS[name]
    coupling = check(nn.Sequential(*layers), torch.rand(shape))
    assert coupling.obstacles == ()
    assert coupling.units > 0
    assert KEPT not in coupling.outputs["0"]


def test_depthwise_outputs_go_with_their_inputs(check: Check) -> None:
    layers, shape = CHAINS["depthwise, widened"]
    coupling = check(nn.Sequential(*layers), torch.rand(shape))
    assert coupling.outputs["1"] == tuple(unit for unit in coupling.outputs["0"] for _ in range(2))
    assert coupling.units == 4


def test_groups_stay_equal(check: Check) -> None:
    layers, shape = CHAINS["grouped"]
    coupling = check(nn.Sequential(*layers), torch.rand(shape))
    a, b = coupling.outputs["0"][:2]
    assert coupling.outputs["0"] == (a, b) * 3
    assert coupling.outputs["1"] == coupling.outputs["1"][:3] * 3
    assert coupling.units == 5


class Standardised(nn.Conv2d):
    """A convolution that is not torch's own."""

    def forward(self, x: Tensor) -> Tensor:
        return self._conv_forward(x, self.weight - self.weight.mean((0, 2, 3), keepdim=True), self.bias)


UNTREATED: dict[str, nn.Module] = {
    "own forward": Standardised(6, 6, 3),
    "normalisation without scale": nn.BatchNorm2d(6, affine=False),
    "group normalisation": nn.GroupNorm(2, 6),
    "instance normalisation": nn.InstanceNorm2d(6),
    "weight normalisation": torch.nn.utils.spectral_norm(nn.Conv2d(6, 6, 3)),
}


@pytest.mark.parametrize("name", UNTREATED)
def test_layers_that_are_not_known_keep_their_channels(check: Check, name: str) -> None:
    network = nn.Sequential(nn.Conv2d(3, 6, 3), UNTREATED[name], nn.Conv2d(6, 2, 1))
    coupling = check(network, torch.rand(2, 3, 8, 8))
    assert set(coupling.outputs["0"]) == {KEPT}
    assert any("at 1" in obstacle for obstacle in coupling.obstacles)


def test_what_can_shrink() -> None:
    assert can_shrink(nn.Conv2d(2, 2, 1))
    assert not can_shrink(nn.BatchNorm2d(2, affine=False))
    assert not can_shrink(Standardised(2, 2, 1))


def test_ends_of_a_linear_layer() -> None:
    ends = ends_of(nn.Linear(3, 2), Nodes())
    assert (ends.inputs, ends.outputs) == ((1, 2, 3), (4, 5))
