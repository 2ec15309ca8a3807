"""The joint score by hand on three weights, against the plain Taylor score, and with masks and siamese calls."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from disparsity.base.layers import trained_weight
from disparsity.pruning.masks import attach_masks, mask_modules, set_masks
from disparsity.pruning.scores.quant_aware import quant_aware_scores
from disparsity.pruning.scores.taylor import TAYLOR_FORMS, taylor_pass

SAMPLES = (([1.0, 2.0, 4.0], 1.0), ([0.0, 1.0, -2.0], 0.0))


class Rounding(nn.Module):
    """Rounds to -1, 0, 1 and passes no gradient to what it clips, as learned step sizes do."""

    def forward(self, weight: Tensor) -> Tensor:
        inside = weight * (weight.abs() <= 1)
        return inside + (weight.round().clamp(-1, 1) - inside).detach()


def rounded(layer: nn.Module) -> Tensor:
    return trained_weight(layer).detach().round().clamp(-1, 1)


def as_it_is(layer: nn.Module) -> Tensor:
    return trained_weight(layer).detach()


def three_weights() -> nn.Linear:
    layer = nn.Linear(3, 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[2.0, -0.9, 0.4]]))
    return layer


def loss_of(network: nn.Module, index: int) -> Tensor:
    """(w . x - y)^2 / 2, so that the gradient is (w . x - y) x."""
    x, y = SAMPLES[index]
    return ((network(torch.tensor(x)) - y).square() / 2).sum()


@pytest.mark.parametrize(
    ("form", "expected"),
    [("mean_sq", [2.0, 8.5, 0.0]), ("mean_abs", [1.0, 2.5, 0.0]), ("abs_mean", [1.0, 2.5, 0.0])],
)
def test_three_quantized_weights_by_hand(form: str, expected: list[float]) -> None:
    # Q(w) = (1, -1, 0), of which 2 -> 1 is clipped. First sample: Q(w) . x - y = -2, g = (-2, -4, -8) and
    # Q(w) g = (-2, 4, 0); second: Q(w) . x - y = -1, g = (0, -1, 2) and Q(w) g = (0, 1, 0).
    layer = three_weights()
    parametrize.register_parametrization(layer, "weight", Rounding())
    scores = quant_aware_scores(layer, {"": layer}, lambda index: loss_of(layer, index), 2, rounded, form)
    assert scores[""].tolist() == [expected]


def test_a_clipped_weight_counts_though_its_trained_tensor_gets_no_gradient() -> None:
    layer = three_weights()
    parametrize.register_parametrization(layer, "weight", Rounding())
    plain = taylor_pass(layer, {"": layer}, lambda index: loss_of(layer, index), 2)[""]
    joint = quant_aware_scores(layer, {"": layer}, lambda index: loss_of(layer, index), 2, rounded)[""]
    assert float(plain[0, 0]) == 0.0
    assert float(joint[0, 0]) > 0.0


@pytest.mark.parametrize("form", list(TAYLOR_FORMS))
@pytest.mark.parametrize("straight_through", [False, True])
def test_equals_the_plain_score_where_nothing_is_quantized(form: str, straight_through: bool) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1, bias=False))
    attach_masks(network, ["0"])
    set_masks(network, {"0": torch.rand(4, 3) > 0.4})
    mask_modules(network)["0"].straight_through = straight_through
    layers = {"0": network[0], "2": network[2]}
    views = torch.randn(3, 2, 3)

    def loss(index: int) -> Tensor:
        left, right = views[index]
        return (network(left) - network(right) - 1.0).square().sum()  # every layer is called twice

    plain = taylor_pass(network, layers, loss, 3, form)
    joint = quant_aware_scores(network, layers, loss, 3, as_it_is, form)
    for name in layers:
        torch.testing.assert_close(joint[name], plain[name])
        assert bool(joint[name].any())


def test_a_quantized_weight_behind_a_mask() -> None:
    layer = three_weights()
    parametrize.register_parametrization(layer, "weight", Rounding())
    network = nn.Sequential(layer)
    attach_masks(network, ["0"])
    set_masks(network, {"0": torch.tensor([[True, False, True]])})
    # the second weight is out: Q(w) . x - y = 0 and 0, so that no weight has a gradient but through the first sample
    scores = quant_aware_scores(network, {"0": layer}, lambda index: loss_of(network, index) + layer.weight.sum(), 2,
                                rounded)  # fmt: skip
    assert scores["0"].tolist() == [[1.0, 0.0, 0.0]]


def test_nothing_is_left_behind() -> None:
    layer: Any = three_weights()
    parametrize.register_parametrization(layer, "weight", Rounding())
    layer.train()
    quant_aware_scores(layer, {"": layer}, lambda index: loss_of(layer, index), 2, rounded)
    chain = layer.parametrizations["weight"]
    assert not chain[-1]._forward_hooks
    assert chain.original.grad is None
    assert layer.training
