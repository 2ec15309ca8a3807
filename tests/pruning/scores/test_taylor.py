"""Taylor scores by hand, against leave-one-out loss changes, and without side effects."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from torch import Tensor, nn

from disparsity.pruning.masks import attach_masks, mask_modules, set_masks
from disparsity.pruning.scores.evidence import has_evidence
from disparsity.pruning.scores.fisher import fisher_obs_scores
from disparsity.pruning.scores.magnitude import magnitude_scores
from disparsity.pruning.scores.taylor import TAYLOR_FORMS, TaylorScore, taylor_pass, taylor_term


def three_weights() -> nn.Linear:
    layer = nn.Linear(3, 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[2.0, -1.0, 0.5]]))
    return layer


@pytest.mark.parametrize(
    ("form", "expected"),
    [("mean_sq", [2.0, 4.0, 4.0]), ("mean_abs", [1.0, 2.0, 2.0]), ("abs_mean", [1.0, 0.0, 2.0])],
)
def test_taylor_of_three_weights_by_hand(form: str, expected: list[float]) -> None:
    layer = three_weights()
    score = TaylorScore({"": layer}, form=form)
    # loss = (w . x - y)^2 / 2, so g = (w . x - y) x
    for x, y in ((torch.tensor([1.0, 2.0, 4.0]), 1.0), (torch.tensor([0.0, 1.0, -2.0]), 0.0)):
        layer.zero_grad()
        ((layer(x) - y).square() / 2).sum().backward()
        score.add_batch()
    # first batch: w.x - y = 1, (w g) = (2, -2, 2); second: w.x - y = -2, (w g) = (0, 2, 2)
    assert score.batches == 2
    assert score.scores()[""].tolist() == [expected]


def test_terms_are_squared_in_float32() -> None:
    weight, gradient = torch.tensor([1e-3]).bfloat16(), torch.tensor([1e-3]).half()
    assert taylor_term(weight, gradient).dtype == torch.float32
    assert float(taylor_term(weight, gradient)) == pytest.approx(1e-12, rel=1e-2)


@given(st.lists(st.floats(0.01, 10.0), min_size=1, max_size=12), st.floats(0.0, 0.99))
def test_running_average_equals_its_closed_form(gradients: list[float], decay: float) -> None:
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, 0.5)
    score = TaylorScore({"a": layer}, decay)
    for gradient in gradients:
        layer.weight.grad = torch.full((1, 1), gradient)
        score.add_batch()
    terms = [(0.5 * gradient) ** 2 for gradient in gradients]
    shares = [decay ** (len(terms) - 1 - i) for i in range(len(terms))]
    expected = sum(share * term for share, term in zip(shares, terms, strict=True)) / sum(shares)
    assert float(score.scores()["a"]) == pytest.approx(expected, rel=1e-3)


def test_signs_cancel_in_the_running_size_of_the_mean_only() -> None:
    layer = three_weights()
    scores = {form: TaylorScore({"a": layer}, 0.5, form) for form in TAYLOR_FORMS}
    for gradient in (1.0, -2.0):
        layer.weight.grad = torch.tensor([[gradient, gradient, gradient]])
        for score in scores.values():
            score.add_batch()
    # running average of w g, started at zero: (0.25 * 1 - 0.5 * 2) w / 0.75 = -w
    torch.testing.assert_close(scores["abs_mean"].scores()["a"], torch.tensor([[2.0, 1.0, 0.5]]))
    torch.testing.assert_close(scores["mean_abs"].scores()["a"], torch.tensor([[2.0, 1.0, 0.5]]) * 1.25 / 0.75)


def test_state_goes_on_exactly_where_it_was() -> None:
    def feed(score: TaylorScore, layer: nn.Linear, numbers: range) -> None:
        for number in numbers:
            layer.weight.grad = torch.full_like(layer.weight, 1.0 / (number + 1))
            score.add_batch()

    layer = three_weights()
    unbroken, first = TaylorScore({"a": layer}, 0.9), TaylorScore({"a": layer}, 0.9)
    feed(unbroken, layer, range(7))
    feed(first, layer, range(3))
    stored = {name: tensor.clone() for name, tensor in first.state().items()}
    second = TaylorScore({"a": layer}, 0.9)
    second.load(stored)
    feed(second, layer, range(3, 7))
    assert torch.equal(second.scores()["a"], unbroken.scores()["a"])


def test_a_layer_without_gradient_has_no_score_and_no_batch_is_our_own_mistake() -> None:
    score = TaylorScore({"a": nn.Linear(2, 2)})
    with pytest.raises(AssertionError):
        score.scores()
    score.add_batch()
    assert not has_evidence(score.scores()["a"])


class Siamese(nn.Module):
    """One layer that sees two inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.tower = three_weights()

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return self.tower(left) * self.tower(right)


def test_siamese_weight_is_counted_once_with_both_gradients() -> None:
    network = Siamese()
    left, right = torch.tensor([1.0, 0.0, 2.0]), torch.tensor([0.0, 3.0, 1.0])
    score = TaylorScore({"tower": network.tower})
    network(left, right).sum().backward()
    score.add_batch()
    weight = network.tower.weight.detach()[0]
    gradient = left * float(weight @ right) + right * float(weight @ left)
    torch.testing.assert_close(score.scores()["tower"][0], (weight * gradient).square())


def test_masked_layers_are_scored_on_the_trained_tensor() -> None:
    network = nn.Sequential(three_weights())
    attach_masks(network, ["0"])
    set_masks(network, {"0": torch.tensor([[True, False, True]])})
    score = TaylorScore({"0": network[0]})
    network(torch.ones(3)).sum().backward()
    score.add_batch()
    assert score.scores()["0"].tolist() == [[4.0, 0.0, 0.25]]
    mask_modules(network)["0"].straight_through = True
    network.zero_grad()
    network(torch.ones(3)).sum().backward()
    again = TaylorScore({"0": network[0]})
    again.add_batch()
    assert again.scores()["0"].tolist() == [[4.0, 1.0, 0.25]]


def trained_classifier() -> tuple[nn.Sequential, Tensor, Tensor]:
    torch.manual_seed(0)
    inputs = torch.randn(64, 4)
    goal = torch.sin(2 * inputs[:, :1]) + 0.3 * inputs[:, 1:2] * inputs[:, 2:3]
    network = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
    optimizer = torch.optim.Adam(network.parameters(), 0.02)
    for _ in range(150):
        optimizer.zero_grad()
        (network(inputs) - goal).square().mean().backward()
        optimizer.step()
    return network, inputs, goal


def losses_without_each(network: nn.Module, layers: list[nn.Linear], loss: Callable[[], Tensor]) -> list[float]:
    """By how much the loss rises when each weight is zero."""
    change = []
    with torch.no_grad():
        before = float(loss())
        for layer in layers:
            for place in range(layer.weight.numel()):
                kept = layer.weight.flatten()[place].clone()
                layer.weight.view(-1)[place] = 0.0
                change.append(float(loss()) - before)
                layer.weight.view(-1)[place] = kept
    return change


def test_scores_rank_weights_like_leaving_each_out_and_better_than_magnitude() -> None:
    network, inputs, goal = trained_classifier()
    layers = {"0": network[0], "2": network[2]}

    def loss(number: int) -> Tensor:
        one = slice(number, number + 1)
        return (network(inputs[one]) - goal[one]).square().mean()

    change = losses_without_each(network, list(layers.values()), lambda: (network(inputs) - goal).square().mean())

    def correlation(scores: dict[str, Tensor]) -> float:
        return spearmanr(torch.cat([scores[name].flatten() for name in layers]).numpy(), change).statistic

    by_size = correlation(magnitude_scores(layers))
    squares, sizes = (
        correlation(taylor_pass(network, layers, loss, len(inputs), form)) for form in ("mean_sq", "mean_abs")
    )
    fisher = correlation(fisher_obs_scores(network, layers, loss, len(inputs)))
    assert min(squares, sizes, fisher) > max(0.8, by_size)


def test_scoring_pass_leaves_statistics_gradients_weights_and_mode_untouched() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(0.5), nn.Conv2d(2, 1, 1))
    network.train()
    network(torch.randn(2, 1, 6, 6)).sum().backward()
    network[3].bias.grad = None
    inputs = torch.randn(3, 2, 1, 6, 6)
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    gradients = {name: None if p.grad is None else p.grad.clone() for name, p in network.named_parameters()}
    modes: list[bool] = []

    def loss(number: int) -> Tensor:
        modes.append(network[1].training or network[2].training)
        return network(inputs[number]).square().mean()

    layers = {"0": network[0], "3": network[3]}
    first, second = (taylor_pass(network, layers, loss, 3) for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in layers)
    assert not any(modes)
    assert network.training
    assert network[1].training
    assert all(torch.equal(state[name], tensor) for name, tensor in network.state_dict().items())
    for name, parameter in network.named_parameters():
        kept = gradients[name]
        assert (parameter.grad is None) if kept is None else torch.equal(kept, parameter.grad)


def test_scoring_pass_is_the_mean_over_batches() -> None:
    layer = three_weights()
    scores = taylor_pass(layer, {"": layer}, lambda number: layer(torch.full((3,), number + 1.0)).sum(), 2)
    assert scores[""].tolist() == [[4 * 2.5, 1 * 2.5, 0.25 * 2.5]]
