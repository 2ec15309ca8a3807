"""A smaller network described as plain data and built again."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import torch
from torch import nn

from disparsity.base.errors import InputError
from disparsity.pruning.channels.removal import remove_channels
from disparsity.pruning.channels.sizes import resize_layers, shrunk_layers
from disparsity.stereo.volumes.correlation import CorrelationVolume
from disparsity.stereo.volumes.groupwise import GroupwiseVolume

LAYERS: list[nn.Module] = [
    nn.Conv2d(4, 6, 3),
    nn.Conv3d(4, 8, 3, groups=2),
    nn.Conv2d(4, 8, 3, groups=4),
    nn.ConvTranspose2d(4, 6, 3),
    nn.ConvTranspose3d(4, 8, 3, groups=4),
    nn.Linear(4, 6),
    nn.BatchNorm2d(4),
    nn.PReLU(4),
]


def test_description_and_rebuilding(network: nn.Module, coupling: Any) -> None:
    fresh = copy.deepcopy(network)
    remove_channels(network, coupling, torch.tensor([True, False, False, False, True]))
    sizes = json.loads(json.dumps(shrunk_layers(network)))
    assert set(sizes) == {"enter", "inner", "norm", "outer", "last"}
    assert sizes["norm"] == {"num_features": 1}
    assert sizes["inner"] == {"in_channels": 2, "out_channels": 1, "groups": 1}
    resize_layers(fresh, sizes)
    fresh.load_state_dict(network.state_dict())
    image = torch.rand(1, 1, 5, 5)
    assert torch.equal(fresh(image), network(image))
    assert shrunk_layers(fresh) == shrunk_layers(network)


def test_a_whole_network_has_no_description(network: nn.Module) -> None:
    assert shrunk_layers(network) == {}


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_resized_layers_are_those_that_torch_builds(layer: nn.Module) -> None:
    host = nn.Sequential(copy.deepcopy(layer))
    names = [
        n for n in ("in_channels", "out_channels", "in_features", "out_features", "num_features") if hasattr(layer, n)
    ]
    wanted = {name: getattr(layer, name) // 2 for name in names or ["num_parameters"]}
    if hasattr(layer, "groups"):
        wanted["groups"] = max(1, layer.groups // 2)
    resize_layers(host, {"0": wanted or {"num_parameters": 2}})
    built = type(layer)(**({"kernel_size": 3} if hasattr(layer, "groups") else {}), **(wanted))
    assert {k: v.shape for k, v in host[0].state_dict().items()} == {k: v.shape for k, v in built.state_dict().items()}


@pytest.mark.parametrize(
    "sizes",
    [
        {"nowhere": {"num_features": 1}},
        {"norm": {"num_features": 3}},
        {"norm": {"num_features": 0}},
        {"norm": {"num_features": True}},
        {"norm": {"bias": 1}},
        {"norm": 1},
        {"inner": {"in_channels": 2}},
        {"inner": {"in_channels": 3, "out_channels": 2, "groups": 2}},
        {"inner": {"averaged_channels": 4}},
    ],
)
def test_sizes_that_do_not_fit_are_refused(network: nn.Module, sizes: Any) -> None:
    with pytest.raises(InputError, match="channels that the network does not have"):
        resize_layers(network, sizes)


@pytest.mark.parametrize("volume", [CorrelationVolume(2), GroupwiseVolume(2, 2)])
def test_an_average_divides_by_the_first_number_of_channels(volume: nn.Module, hand_made: Any) -> None:
    class Matched(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tower, self.volume = nn.Conv2d(1, 4, 1), volume

    network = Matched()
    left, right = torch.rand(1, 4, 3, 3), torch.rand(1, 4, 3, 3)
    left[:, [0, 2]] = 0.0
    expected = volume(left, right)
    ends = {"outputs": {"tower": (0, 1, 0, 2)}, "inputs": {"tower": (-1,)}}
    coupling = hand_made(**ends, averages={"volume": 4}, units=3)
    remove_channels(network, coupling, torch.tensor([True, False, False]))
    torch.testing.assert_close(volume(left[:, [1, 3]], right[:, [1, 3]]), expected)
    assert shrunk_layers(network)["volume"] == {"averaged_channels": 4}
    remove_channels(network, hand_made(**ends, averages={"volume": 2}, units=0), torch.zeros(0, dtype=torch.bool))
    assert volume.averaged_channels == 4
