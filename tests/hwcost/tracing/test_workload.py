from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.utils.flop_counter import FlopCounterMode

from disparsity.base.errors import InputError
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.quant.attach import attach_quantizers
from disparsity.quant.bits import LayerBits
from disparsity.quant.quantizers.registry import QUANTIZERS


class Volume(nn.Module):
    workload_kind = "cost_volume"

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return torch.stack([left - right, left + right], 2)


class Argmin(nn.Module):
    workload_kind = "soft_argmin"

    def forward(self, cost: Tensor) -> Tensor:
        return torch.einsum(
            "bdhw,d->bhw", cost.softmax(1), torch.arange(cost.shape[1], dtype=torch.float32, device=cost.device)
        )


class Toy(nn.Module):
    """Every kind of layer that a stereo network has, a tower called twice, and parts without weights."""

    def __init__(self) -> None:
        super().__init__()
        self.tower = nn.Sequential(
            nn.Conv2d(4, 6, 3, stride=2, padding=1),
            nn.BatchNorm2d(6),
            nn.ReLU(),
            nn.Conv2d(6, 6, 3, padding=2, dilation=2, groups=3, bias=False),
        )
        self.volume = Volume()
        self.filter = nn.Conv3d(6, 4, 3, padding="same")
        self.up3 = nn.ConvTranspose3d(4, 2, (1, 4, 4), stride=(1, 2, 2), padding=(0, 1, 1))
        self.up2 = nn.ConvTranspose2d(2, 4, 3, stride=2, groups=2)
        self.argmin = Argmin()
        self.head = nn.Linear(17, 5)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        volume = self.up3(self.filter(self.volume(self.tower(left), self.tower(right))))
        return self.head(self.argmin(self.up2(volume[:, :, 0])))


def toy() -> tuple[nn.Module, tuple[Tensor, Tensor]]:
    torch.manual_seed(0)
    return Toy().eval(), (torch.rand(2, 4, 8, 8), torch.rand(2, 4, 8, 8))


def test_macs_equal_torchs_own_count() -> None:
    network, inputs = toy()
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network(*inputs)
    workload = trace_workload(network, inputs)
    assert 2 * workload.dense_macs == counter.get_total_flops() > 0
    assert workload.counted_macs == workload.dense_macs
    assert workload.unmodelled == ()


def test_golden_macs(anchors) -> None:
    macs = {name: call.dense_macs for name, call in anchors.items()}
    assert macs == {"L1": 884_736, "L2": 2_359_296, "L3": 4_718_592, "C3D": 56_623_104}


def test_accumulators_of_4_bit_weights_and_8_bit_activations(anchors) -> None:
    assert {name: call.accumulator_bits for name, call in anchors.items()} == {"L1": 17, "L2": 20, "L3": 21, "C3D": 22}


@pytest.mark.parametrize(
    ("quantizer", "bits", "expected"),
    [("lsq", 4, 4), ("power_of_two", 4, 8), ("power_of_two", 5, 16), ("additive_power_of_two", 5, 7), ("lsq", 1, 1)],
)
def test_accumulators_hold_codes_that_are_wider_than_what_is_stored(quantizer: str, bits: int, expected: int) -> None:
    network = nn.Sequential(nn.Linear(8, 3))
    attach_quantizers(
        network, {"0": LayerBits(weights=bits, activations=32)}, quantizer=QUANTIZERS[quantizer].settings()
    )
    call = trace_workload(network, (torch.zeros(1, 8),), {"0": LayerBits(weights=bits, activations=8)}).calls[0]
    # the largest codes: 7, 2^6, 2^14 and 32 + 16 of signed integers; a sign alone adds nothing to its factor but itself
    assert call.weight_bits == bits
    assert call.code_bits == expected
    assert call.accumulator_bits == expected + 8 + 3


def test_siamese_layers_work_twice_and_are_stored_once() -> None:
    network, inputs = toy()
    workload = trace_workload(network, inputs)
    assert [(call.name, call.call) for call in workload.calls if call.name == "tower.0"] == [
        ("tower.0", 0),
        ("tower.0", 1),
    ]
    stored = [call.name for call in workload.calls if call.weight_count and call.call == 0]
    assert len(stored) == len(set(stored)) == 6
    assert workload.parameters == sum(p.numel() for p in network.parameters())
    assert workload.buffers == 12


def test_a_records_fields_by_hand() -> None:
    network, inputs = toy()
    calls = {call.name: call for call in trace_workload(network, inputs).calls}
    grouped = calls["tower.3"]
    assert (grouped.kind, grouped.groups, grouped.dilation, grouped.padding) == ("Conv2d", 3, (2, 2), (2, 2))
    assert (grouped.weight_count, grouped.bias_count, grouped.fan_in) == (6 * 2 * 9, 0, 18)
    assert (grouped.input_shape, grouped.output_shape) == ((2, 6, 4, 4), (2, 6, 4, 4))
    assert grouped.dense_macs == 108 * 2 * 16
    assert calls["filter"].padding == (1, 1, 1)
    up = calls["up2"]
    assert up.weight_uses == 2 * 8 * 8  # input positions, not output positions
    assert up.fan_in == 1 * 2 * 2  # at stride 2 at most two of three taps per axis meet in one output
    assert len(up.nnz_per_filter) == 4
    assert calls["volume"].elementwise_ops == 2 * 6 * 2 * 4 * 4
    assert calls["volume"].dense_macs == 0
    assert calls["head"].weight_uses == 2 * 17
    assert calls["head"].accumulator_bits == 32


def test_zeros_of_parametrized_weights_are_counted() -> None:
    class Halved(nn.Module):
        def forward(self, weight: Tensor) -> Tensor:
            return weight * (torch.arange(weight.shape[0], device=weight.device) % 2).view(-1, 1, 1, 1)

    network = nn.Sequential(nn.Conv2d(3, 4, 3))
    parametrize.register_parametrization(network[0], "weight", Halved())
    call = trace_workload(network, (torch.zeros(1, 3, 5, 5),), {"0": LayerBits(weights=4, activations=8)}).calls[0]
    assert call.nnz_per_filter == (0, 27, 0, 27)
    assert (call.nnz, call.effectual_macs, call.dense_macs) == (54, 54 * 9, 108 * 9)
    assert (call.weight_bits, call.activation_bits) == (4, 8)


def test_nnz_of_grouped_transposed_filters() -> None:
    layer = nn.ConvTranspose2d(4, 6, 2, groups=2)
    with torch.no_grad():
        layer.weight.fill_(1)
        layer.weight[2:, 1] = 0  # second group, its second output: filter 3 + 1
    call = trace_workload(nn.Sequential(layer), (torch.zeros(1, 4, 3, 3),)).calls[0]
    assert call.nnz_per_filter == (8, 8, 8, 8, 0, 8)


def test_networks_that_look_at_values_are_traced_too_and_keep_their_mode() -> None:
    class Branches(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Conv1d(1, 2, 3)

        def forward(self, values: Tensor) -> Tensor:
            return self.layer(values) if values.sum().item() > -1 else values

    network = Branches().train()
    workload = trace_workload(network, (torch.zeros(1, 1, 5),))
    assert workload.dense_macs == 6 * 3
    assert network.training
    assert network.layer.training
    assert not network.layer._forward_hooks


def test_parameters_outside_of_known_layers_are_named() -> None:
    class Scale(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(3))

        def forward(self, values: Tensor) -> Tensor:
            return values * self.scale

    assert trace_workload(nn.Sequential(Scale()), (torch.zeros(1, 3),)).unmodelled == ("0",)


class Plain(nn.Module):
    """Work outside of layers: up-sampling, warping, normalisation, a skip and an operation nobody knows."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(2, 3, 1)
        self.norm = nn.BatchNorm2d(3)

    def forward(self, values: Tensor) -> Tensor:
        skip = torch.relu(self.norm(self.layer(values)))
        grid = torch.zeros(1, 8, 10, 2, device=values.device)
        warped = nn.functional.grid_sample(
            nn.functional.interpolate(skip, scale_factor=2, mode="bilinear"), grid, align_corners=False
        )
        return (warped + 1).cumprod(1) + warped


def test_work_outside_of_layers_by_hand() -> None:
    bits = {"layer": LayerBits(weights=4, activations=8)}
    workload = trace_workload(Plain().eval(), (torch.zeros(1, 2, 4, 5),), bits)
    calls = {(call.name, call.call): call for call in workload.calls}
    shown = {name: (call.kind, call.elementwise_ops, call.moved_elements) for name, call in calls.items()}
    assert shown[_norm(shown), 0] == ("normalisation", 2 * 60, 0)
    assert shown["relu", 0] == ("activation", 60, 0)
    assert shown["upsample_bilinear2d", 0] == ("upsampling", 7 * 240, 60 + 240)
    assert shown["grid_sampler_2d", 0] == ("warping", 7 * 240, 240 + 160 + 240)
    assert shown["add", 0] == ("add", 240, 0)
    assert shown["add", 1] == ("add", 240, 240)
    assert calls["relu", 0].activation_bits == 8
    assert workload.unmodelled == ("operation cumprod",)
    assert workload.counted_bytes - workload.modelled_bytes == 4 * (240 + 240)


def _norm(shown: dict[tuple[str, int], tuple[str, int, int]]) -> str:
    """Torch names the operation of a BatchNorm after what it runs on."""
    return next(name for name, _ in shown if name.startswith("norm."))


def test_bits_for_an_unknown_layer_are_refused() -> None:
    with pytest.raises(InputError, match=r"tower\.9"):
        trace_workload(*toy(), {"tower.9": LayerBits(weights=4, activations=8)})


def test_the_trace_is_the_same_in_deterministic_mode() -> None:
    class Enlarge(nn.Module):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.interpolate(image, scale_factor=2, mode="bilinear", align_corners=False)

    views = (torch.zeros(1, 3, 6, 8),)
    usual = trace_workload(Enlarge(), views)
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    try:
        strict = trace_workload(Enlarge(), views)
        assert torch.are_deterministic_algorithms_enabled()
        assert torch.is_deterministic_algorithms_warn_only_enabled()
    finally:
        torch.use_deterministic_algorithms(mode=False)
    assert strict == usual


class LeftOver(nn.Module):
    """A convolution, and a head that is never called."""

    def __init__(self, *, head: bool) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
        if head:
            self.head = nn.Sequential(nn.Conv2d(4, 32, 3), nn.BatchNorm2d(32))

    def forward(self, values: Tensor) -> Tensor:
        return self.first(values)


def test_a_module_that_never_runs_is_named_and_counts_nowhere() -> None:
    without, beside = (trace_workload(LeftOver(head=head), (torch.rand(1, 3, 8, 8),)) for head in (False, True))
    assert (without.parameters, without.buffers) == (3 * 4 + 4 + 2 * 4, 2 * 4)
    assert replace(beside, calls=(), unmodelled=()) == replace(without, calls=(), unmodelled=())
    assert [call.name for call in beside.calls] == [call.name for call in without.calls]
    assert (without.unmodelled, beside.unmodelled) == ((), ("head (never runs)",))
