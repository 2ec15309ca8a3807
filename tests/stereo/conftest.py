"""The oracle of channel removal: a network whose removed channels were made zero by hand, loop by loop."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from disparsity.pruning.channels.removal import remove_channels
from disparsity.stereo.channels.coupling import ChannelCoupling
from disparsity.stereo.channels.trace import trace_coupling
from disparsity.stereo.network import StereoNetwork


def silenced(network: nn.Module, coupling: ChannelCoupling, removed: Tensor) -> nn.Module:
    """A copy whose removed channels are zero where they are made; nothing that reads them is changed."""
    network = copy.deepcopy(network)
    gone = set(removed.nonzero().flatten().tolist())
    with torch.no_grad():
        for name, units in coupling.outputs.items():
            layer = network.get_submodule(name)
            for channel in (place for place, unit in enumerate(units) if unit in gone):
                if isinstance(layer, nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d):
                    size, share = layer.out_channels // layer.groups, layer.in_channels // layer.groups
                    first = channel // size * share
                    layer.weight[first : first + share, channel % size] = 0
                else:
                    layer.weight[channel] = 0
                if layer.bias is not None:
                    layer.bias[channel] = 0
        for name, units in coupling.channelwise.items():
            layer = network.get_submodule(name)
            for channel in (place for place, unit in enumerate(units) if unit in gone):
                for values in layer.parameters():
                    values[channel] = 0
    return network


def randomised(network: nn.Module) -> nn.Module:
    """In eval mode, with statistics, scales and shifts of BatchNorm that matter."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.running_mean.normal_(0.0, 0.3, generator=generator)
                module.running_var.uniform_(0.5, 2.0, generator=generator)
                if module.affine:
                    module.weight.uniform_(0.5, 1.5, generator=generator)
                    module.bias.normal_(0.0, 0.5, generator=generator)
    return network.eval()


def removable(coupling: ChannelCoupling, share: float, seed: int = 0) -> Tensor:
    """A random choice of units that empties no layer and keeps balanced groups equal."""
    order = torch.randperm(coupling.units, generator=torch.Generator().manual_seed(seed)).tolist()
    removed = torch.zeros(coupling.units, dtype=torch.bool)
    rank_of = {
        unit: (family, rank) for family in coupling.balanced for group in family for rank, unit in enumerate(group)
    }
    for unit in order:
        family, rank = rank_of.get(unit, ((), 0))
        trial = removed.clone()
        trial[[group[rank] for group in family] or [unit]] = True
        gone = set(trial.nonzero().flatten().tolist())
        if float(trial.float().mean()) <= share and not any(gone.issuperset(u) for u in coupling.outputs.values()):
            removed = trial
    return removed


class Between(nn.Module):
    """Two convolutions side by side, an operation on both, a convolution behind it if that has channels."""

    def __init__(self, operation: Callable[[Tensor, Tensor], Tensor], behind: int) -> None:
        super().__init__()
        self.operation = operation
        self.left, self.right = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(3, 6, 3, padding=1)
        self.behind = nn.Conv2d(behind, 2, 1) if behind else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.behind(self.operation(self.left(x), self.right(x)))


@dataclass(frozen=True)
class Removal:
    """One removal, two ways, and the network that it starts from."""

    dense: nn.Module
    coupling: ChannelCoupling
    removed: Tensor
    silenced: nn.Module
    small: nn.Module


def remove_both_ways(network: nn.Module, coupling: ChannelCoupling, share: float, seed: int = 0) -> Removal:
    """Take random units out of a network, and silence them in another copy by hand."""
    removed = removable(coupling, share, seed)
    small = copy.deepcopy(network)
    remove_channels(small, coupling, removed)
    return Removal(network, coupling, removed, silenced(network, coupling, removed), small)


@pytest.fixture(scope="session")
def remove() -> Callable[..., Removal]:
    """Gives BatchNorm statistics that matter and removes a share of a stereo network's units, two ways."""

    def run(network: StereoNetwork, share: float = 0.5) -> Removal:
        randomised(network)
        return remove_both_ways(network, network.channel_coupling(), share)

    return run


@pytest.fixture
def check() -> Callable[..., ChannelCoupling]:
    """Traces a module, removes half of its units, and compares it with the module silenced by hand."""

    def run(network: nn.Module, *inputs: Tensor, share: float = 0.5) -> ChannelCoupling:
        found = remove_both_ways(randomised(network), trace_coupling(network, inputs), share)
        with torch.no_grad():
            torch.testing.assert_close(found.small(*inputs), found.silenced(*inputs), rtol=1e-5, atol=1e-5)
        sizes = [sum(parameter.numel() for parameter in each.parameters()) for each in (found.small, network)]
        assert (sizes[0] < sizes[1]) == bool(found.removed.any())
        return found.coupling

    return run


@pytest.fixture
def check_between(check: Callable[..., ChannelCoupling]) -> Callable[..., ChannelCoupling]:
    """The same for an operation on two tensors ``[2, 6, 8, 8]`` whose result has `behind` channels, 0 for none."""

    def run(operation: Callable[[Tensor, Tensor], Tensor], behind: int) -> ChannelCoupling:
        torch.manual_seed(0)
        return check(Between(operation, behind), torch.rand(2, 3, 8, 8))

    return run
