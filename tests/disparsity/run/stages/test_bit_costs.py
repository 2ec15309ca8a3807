"""What layers cost at a width: by hand, and against the costs of a whole network."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from disparsity.base.errors import InputError
from disparsity.hwcost.models.energy import mac_energy_pj
from disparsity.hwcost.models.operations import total_bops
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.hwcost.tracing.layer_call import LayerCall
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.quant.bits import LayerBits
from disparsity.run.stages.bit_costs import LayerWork, cost_at, layer_works

PROFILE = load_profile()


def call(number: int) -> LayerCall:
    return LayerCall(name="a", kind="Conv2d", call=number, input_shape=(1, 1, 2, 5), output_shape=(1, 4, 2, 5),
                     input_elements=10, weight_count=8, nnz=6, weight_uses=10, fan_in=2)  # fmt: skip


def test_by_hand() -> None:
    work = LayerWork(calls=(call(0), call(1)), position_bytes=1.5)
    bits = LayerBits(weights=4, activations=8)
    assert work.cost(bits, "bytes", PROFILE) == 6 * 4 / 8 + 1.5
    assert work.cost(bits, "bops", PROFILE) == 2 * 6 * 10 * 4 * 8
    assert work.dense_cost("bytes", PROFILE) == 8 * 4
    assert work.dense_cost("bops", PROFILE) == 2 * 8 * 10 * 32 * 32
    per_mac = PROFILE.float_multiply.energy_pj + PROFILE.float_add.energy_pj
    assert work.dense_cost("energy", PROFILE) == pytest.approx(2 * 8 * 10 * per_mac)


def test_positions_of_a_half_pruned_layer_cost_a_bit_per_weight() -> None:
    layer = nn.Conv2d(2, 4, 1)
    with torch.no_grad():
        layer.weight[:2] = 0
    assert layer_works([call(0)], {"a": layer})["a"].position_bytes == pytest.approx(8 / 8)
    assert layer_works([call(0)], {"a": nn.Conv2d(2, 4, 1)})["a"].position_bytes == 0


@pytest.mark.parametrize("budget", ["bops", "energy"])
def test_the_sum_is_what_a_network_of_these_bits_costs(budget: str) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3, stride=2), nn.Conv2d(2, 2, 1))
    with torch.no_grad():
        network[2].weight[0] = 0
    layers = {name: layer for name, layer in network.named_children() if isinstance(layer, nn.Conv2d)}
    view = (torch.rand(1, 3, 9, 11),)
    works = layer_works(trace_workload(network, view).calls, layers)
    bits = {name: LayerBits(weights=width, activations=8) for name, width in zip(layers, (2, 5, 8), strict=True)}
    costs = sum(works[name].cost(bits[name], budget, PROFILE) for name in layers)
    calls = [each for each in trace_workload(network, view, bits).calls if each.weight_count]
    expected = total_bops(calls)["mac_product"] if budget == "bops" else mac_energy_pj(calls, PROFILE)
    assert costs == pytest.approx(expected)


def test_costs_between_two_widths_lie_on_a_line() -> None:
    assert cost_at([20.0, 40.0, 80.0], [2, 4, 8], 3.0) == 30.0
    assert cost_at([20.0, 40.0, 80.0], [2, 4, 8], 5.0) == 50.0
    assert cost_at([20.0, 40.0, 80.0], [2, 4, 8], 8.0) == 80.0
    assert cost_at([7.0], [8], 3.0) == 7.0
    with pytest.raises(InputError, match=r"outside of the candidates; found 9 bits; expected 2\.\.8"):
        cost_at([20.0, 40.0, 80.0], [2, 4, 8], 9.0)
