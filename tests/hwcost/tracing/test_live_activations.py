from __future__ import annotations

import torch
from torch import Tensor, nn

from disparsity.base.trace.dry_run import trace_network
from disparsity.hwcost.tracing.live_activations import ActivationPeak, peak_activations
from disparsity.pruning.masks import attach_masks
from disparsity.quant.attach import attach_quantizers
from disparsity.quant.bits import LayerBits


def chain() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(8, 4, 3, padding=1),
        nn.Conv2d(4, 1, 3, padding=1),
    )


INPUT = torch.zeros(1, 1, 10, 10)
MAP = 100 * 4  # bytes of one channel in float32


def peak_of(network: nn.Module, bits: dict[str, LayerBits] | None = None) -> ActivationPeak:
    return peak_activations(network, trace_network(network, (INPUT,)), bits)


def test_peak_of_a_chain_by_hand() -> None:
    peak = peak_of(chain())
    # The input stays alive with its caller; the second layer holds 8 channels in and 4 out.
    assert peak.dense_bytes == (1 + 8 + 4) * MAP
    assert peak.compressed_bytes == peak.dense_bytes
    assert sorted(peak.alive) == [("0", 8 * MAP), ("2", 4 * MAP), ("input", MAP)]


def test_tensors_are_held_in_the_precision_of_their_reader() -> None:
    bits = {
        "0": LayerBits(weights=8, activations=16),
        "2": LayerBits(weights=4, activations=8),
        "3": LayerBits(weights=4, activations=4),
    }
    peak = peak_of(chain(), bits)
    assert peak.compressed_bytes == 100 * (1 * 2 + 8 * 1 + 4 * 0.5)


def test_masks_and_quantizers_hold_no_activations() -> None:
    bits = {
        "0": LayerBits(weights=8, activations=16),
        "2": LayerBits(weights=4, activations=8),
        "3": LayerBits(weights=4, activations=4),
    }
    network = chain()
    attach_masks(network, ["0", "2", "3"])
    attach_quantizers(network, bits)
    for layer in bits:
        quantizer = network.get_submodule(layer).get_submodule("input_quantizer")
        quantizer.low = -1
    dressed, plain = peak_of(network, bits), peak_of(chain(), bits)
    assert dressed.compressed_bytes == plain.compressed_bytes
    # Executed, both the input and its quantized copy exist; an accelerator has one.
    assert dressed.dense_bytes == plain.dense_bytes


def test_a_skip_stays_alive_until_it_is_added() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv2d(1, 6, 1)
            self.second = nn.Conv2d(6, 6, 1)
            self.third = nn.Conv2d(6, 6, 1)

        def forward(self, values: Tensor) -> Tensor:
            start = self.first(values)
            return start + self.third(self.second(start))

    # start, second's and third's output, and the input
    assert peak_of(Block()).dense_bytes == (1 + 3 * 6) * MAP


def test_normalization_statistics_do_not_widen_what_they_are_made_from() -> None:
    network = nn.Sequential(nn.Conv2d(1, 8, 1), nn.BatchNorm2d(8), nn.Conv2d(8, 1, 1)).eval()
    bits = {name: LayerBits(weights=8, activations=8) for name in ("0", "2")}
    dense, compressed = peak_of(network), peak_of(network, bits)
    assert compressed.compressed_bytes < dense.dense_bytes / 3


def test_more_bits_never_take_less_memory() -> None:
    peaks = []
    for width in (2, 4, 8, 16, 32):
        bits = {name: LayerBits(weights=8, activations=width) for name in ("0", "2", "3")}
        peaks.append(peak_of(chain(), bits).compressed_bytes)
    assert peaks == sorted(peaks)
