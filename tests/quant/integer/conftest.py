"""Quantized layers of every kind, with grids and steps set by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from disparsity.quant.attach import attach_quantizers, input_quantizer
from disparsity.quant.bits import LayerBits
from disparsity.quant.quantizers.registry import QUANTIZERS

KINDS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "conv1d": (lambda: nn.Conv1d(3, 4, 3, padding=1), (2, 3, 7)),
    "conv2d": (lambda: nn.Conv2d(3, 4, 3, stride=2, padding=1), (2, 3, 5, 6)),
    "same": (lambda: nn.Conv2d(2, 3, 3, padding="same", bias=False), (1, 2, 4, 5)),
    "replicate": (lambda: nn.Conv2d(2, 3, 3, padding=1, padding_mode="replicate"), (1, 2, 4, 5)),
    "grouped": (lambda: nn.Conv2d(4, 6, (3, 1), groups=2, dilation=2, padding=(2, 0)), (1, 4, 6, 3)),
    "depthwise": (lambda: nn.Conv2d(4, 4, 3, groups=4, padding=1), (1, 4, 4, 4)),
    "conv3d": (lambda: nn.Conv3d(2, 3, 3, padding=1, stride=(1, 2, 1)), (1, 2, 3, 4, 3)),
    "transposed2d": (lambda: nn.ConvTranspose2d(3, 4, 4, stride=2, padding=1, output_padding=1), (2, 3, 3, 4)),
    "transposed_grouped": (lambda: nn.ConvTranspose2d(4, 6, 3, stride=3, groups=2, dilation=2), (1, 4, 3, 2)),
    "transposed3d": (lambda: nn.ConvTranspose3d(2, 3, 3, stride=2, padding=1, output_padding=1), (1, 2, 2, 3, 2)),
    "linear": (lambda: nn.Linear(5, 4), (2, 3, 5)),
}
"""Layers, and the shapes of their inputs."""


def quantize(
    layer: nn.Module,
    *,
    weights: int = 8,
    activations: int = 8,
    low: int = -37,
    step: float = 0.03,
    quantizer: str = "lsq",
) -> None:
    """Quantizers as after calibration; the bias becomes float16, as at the end of stage two."""
    network = nn.Sequential(layer)
    attach_quantizers(
        network, {"0": LayerBits(weights=weights, activations=activations)}, quantizer=QUANTIZERS[quantizer].settings()
    )
    inputs = input_quantizer(layer)
    assert inputs is not None
    inputs.low = low
    inputs.set_step(step)
    if isinstance(layer.bias, Tensor):
        layer.bias.data = layer.bias.data.half().float()


@pytest.fixture
def quantized() -> Callable[..., tuple[nn.Module, Tensor]]:
    """Builds a layer of a kind of `KINDS` with quantizers, and an input that also leaves the grid."""

    def build(kind: str, **options: float | str) -> tuple[nn.Module, Tensor]:
        torch.manual_seed(sorted(KINDS).index(kind))
        make, shape = KINDS[kind]
        layer = make().eval()
        quantize(layer, **options)  # type: ignore[arg-type]
        return layer, 4.0 * torch.randn(shape)

    return build


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    """Every kind of layer in turn."""
    return str(request.param)
