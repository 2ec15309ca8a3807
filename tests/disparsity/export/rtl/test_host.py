from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.base.trace.recorder import Recorder
from disparsity.export.rtl.host import host_operations
from disparsity.quant.activations.calibration import calibrate
from disparsity.quant.attach import attach_quantizers
from disparsity.quant.bits import LayerBits
from disparsity.quant.integer.network import integer_form

EIGHT = LayerBits(weights=8, activations=8)


class Two(nn.Module):
    """A convolution, something after it, and a rectifier in a module of its own."""

    def __init__(self, after: Any) -> None:
        super().__init__()
        self.first, self.act, self.after = nn.Conv2d(1, 2, 3), nn.ReLU(), after

    def forward(self, view: Tensor) -> Tensor:
        return self.after(self.act(self.first(view)) + 1)


def counted(network: nn.Module, names: list[str]) -> dict[tuple[str, str], int]:
    view = torch.rand(1, 1, 6, 6)
    attach_quantizers(network, dict.fromkeys(names, EIGHT))
    calibrate(network, [(view,)])
    integer = integer_form(network)
    recorder = Recorder(integer)
    with torch.no_grad(), recorder.watching(integer):
        integer(view)
    return dict(host_operations(integer, recorder.trace()))


def test_what_is_outside_of_integer_layers_is_counted_by_module() -> None:
    found = counted(Two(nn.Conv2d(2, 1, 1)), ["first", "after"])
    assert found == {("act", "relu"): 1, ("", "add"): 1, ("", "cat"): 1}


@pytest.mark.parametrize(("after", "place", "operator"), [
    (nn.Conv2d(2, 1, 1), "after", "Conv2d"),
    (nn.ConvTranspose2d(2, 1, 1), "after", "ConvTranspose2d"),
    (nn.Linear(4, 3), "after", "Linear"),
    (lambda view: F.conv2d(view, torch.ones(1, 2, 1, 1)), "the network itself", "convolution"),
])  # fmt: skip
def test_products_in_float_are_refused_by_name(after: Any, place: str, operator: str) -> None:
    with pytest.raises(InputError, match=rf"{place}: the target has integer layers only; found {operator} in float"):
        counted(Two(after), ["first"])
