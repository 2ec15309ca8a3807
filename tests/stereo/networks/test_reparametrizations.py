"""Reparametrized weights: the folded network computes the same, and every format takes it."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune

from disparsity.checkpoint.packed import read_network, write_network
from disparsity.checkpoint.restore import open_network
from disparsity.export.onnx.file import write_onnx
from disparsity.stereo.networks.reparametrizations import fold_reparametrizations
from disparsity.stereo.regression import SoftArgmin
from disparsity.stereo.spec import NetworkSpec
from disparsity.stereo.volumes.difference import DifferenceVolume

Wrap = Callable[[nn.Module], nn.Module]


def halved(layer: nn.Module) -> nn.Module:
    return prune.l1_unstructured(layer, "weight", 0.5)


WRAPS: dict[str, Wrap] = {
    "weight_norm": parametrizations.weight_norm,
    "old_weight_norm": nn.utils.weight_norm,
    "spectral_norm": parametrizations.spectral_norm,
    "old_spectral_norm": nn.utils.spectral_norm,
    "pruned": halved,
}
PAIR = (torch.rand(1, 3, 32, 48), torch.rand(1, 3, 32, 48))


class Net(nn.Module):
    """A stereo network of two layers, the first of them wrapped."""

    wrap: Wrap

    def __init__(self) -> None:
        super().__init__()
        self.spec = NetworkSpec(
            name="net",
            settings={},
            divisor=4,
            mean=(0.5,) * 3,
            std=(0.25,) * 3,
            max_disparity=16,
            protected=("filter",),
        )
        self.tower = type(self).wrap(nn.Conv2d(3, 8, 5, 4, 2))
        self.volume, self.filter = DifferenceVolume(4), nn.Conv3d(8, 1, 3, padding=1)
        self.end, self.up = SoftArgmin(), nn.Upsample(scale_factor=4, mode="bilinear")

    def forward(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        cost = self.filter(self.volume(self.tower(left), self.tower(right))).squeeze(1)
        return self.up(4 * self.end(cost).unsqueeze(1)).squeeze(1)


@pytest.fixture(params=WRAPS)
def trained(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[nn.Module, Path]:
    """A module as its owner has it, and the state dict that the owner saved."""
    wrap = WRAPS[request.param]
    kind = type("Wrapped", (Net,), {"wrap": staticmethod(wrap)})
    module = types.ModuleType("owners_code")
    module.Wrapped = kind  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "owners_code", module)
    torch.manual_seed(0)
    network = kind().eval()
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    return network, tmp_path / "weights.pth"


pytestmark = pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")


def test_folding_keeps_the_function(trained: tuple[nn.Module, Path]) -> None:
    network, _ = trained
    expected = network(*PAIR)
    fold_reparametrizations(network)
    assert torch.equal(network(*PAIR), expected)
    assert set(dict(network.named_parameters())) == {"tower.weight", "tower.bias", "filter.weight", "filter.bias"}


def test_other_hooks_stay() -> None:
    layer = nn.Conv2d(1, 1, 1)
    layer.register_forward_pre_hook(lambda _, inputs: (2 * inputs[0],))
    before = layer(torch.ones(1, 1, 2, 2))
    fold_reparametrizations(layer)
    assert torch.equal(layer(torch.ones(1, 1, 2, 2)), before)


@torch.no_grad()
def test_a_published_file_loads_and_every_format_takes_it(trained: tuple[nn.Module, Path], tmp_path: Path) -> None:
    module, path = trained
    network = open_network(str(path), "owners_code:Wrapped")
    expected = network(*PAIR)[-1]
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (module.spec.mean, module.spec.std))
    assert torch.allclose(module(*((view - mean) / std for view in PAIR)), expected, atol=1e-6)
    write_network(tmp_path / "net.h5", network)
    assert torch.equal(read_network(tmp_path / "net.h5")(*PAIR)[-1], expected)
    write_onnx(tmp_path / "net.onnx", network, (32, 48))
    assert (tmp_path / "net.onnx").is_file()
