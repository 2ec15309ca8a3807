"""Integer layers beside the network's own ones: what a type does not tell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.base.layers import quantizable_layers
from disparsity.checkpoint.restore import open_network
from disparsity.export.rtl.calls import GoldenCall
from disparsity.export.rtl.folder import write_rtl
from disparsity.export.rtl.own_layers import check_own_layer
from disparsity.quant.activations.calibration import calibrate
from disparsity.quant.attach import attach_quantizers
from disparsity.quant.bits import LayerBits
from disparsity.quant.integer.network import integer_form, integer_layers


def golden(inputs: Tensor, codes: Tensor, outputs: Tensor) -> GoldenCall:
    return GoldenCall(layer="0", inputs=inputs.numpy(), codes=codes.numpy(), outputs=outputs.numpy())


def checked(layer: nn.Module, shape: tuple[int, ...], change: Callable[[nn.Module], Any]) -> None:
    """Compare one call of a layer with the layer after a change that its integer form does not know."""
    network, values = nn.Sequential(layer), torch.rand(shape) - 0.3
    attach_quantizers(network, {"0": LayerBits(weights=6, activations=8)})
    calibrate(network.eval(), [(values,)])
    integer = integer_layers(integer_form(network))["0"]
    calls: list[GoldenCall] = []
    integer.observer = lambda *given: calls.append(golden(*given))
    with torch.no_grad():
        integer(values)
    change(network[0])
    check_own_layer(network[0], integer, calls[0])


LAYERS: list[tuple[nn.Module, tuple[int, ...]]] = [
    (nn.Conv2d(4, 6, 3, padding=1), (2, 4, 7, 8)),
    (nn.Conv2d(4, 8, 3, padding=1, padding_mode="reflect", groups=2), (1, 4, 7, 8)),
    (nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1), (1, 4, 5, 6)),
    (nn.Linear(8, 5), (3, 8)),
]


@pytest.mark.parametrize(("layer", "shape"), LAYERS)
def test_layers_as_they_are_agree(layer: nn.Module, shape: tuple[int, ...]) -> None:
    checked(layer, shape, lambda own: None)


def shift(own: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return (args[0].roll(1, -1),)


@pytest.mark.parametrize(
    "change",
    [
        lambda own: own.register_forward_hook(lambda module, args, output: output.relu()),
        lambda own: own.register_forward_pre_hook(shift),
        lambda own: setattr(own, "forward", lambda values: torch.zeros(1, 1)),
    ],
)
def test_a_layer_that_does_something_of_its_own_is_refused(change: Callable[[nn.Module], Any]) -> None:
    with pytest.raises(InputError, match="0: the integer layer does not compute what the network's own layer does"):
        checked(nn.Conv2d(4, 6, 3, padding=1), (2, 4, 7, 8), change)


def test_the_folder_is_not_written_for_such_a_layer(deployable: Path, tmp_path: Path) -> None:
    network = open_network(str(deployable), None)
    name = list(quantizable_layers(network))[2]
    network.get_submodule(name).register_forward_hook(lambda module, args, output: output * 1.5)
    with pytest.raises(InputError, match=f"{name}: the integer layer"):
        write_rtl(tmp_path / "out", network, (18, 32))
    assert list(tmp_path.iterdir()) == []
