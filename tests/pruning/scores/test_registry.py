"""The registry: every score has a sentence, and gives one finite value per weight that is never negative."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from disparsity.pruning.scores import SCORES
from disparsity.pruning.scores.magnitude import magnitude_scores
from disparsity.pruning.scores.score import ScoringContext


def context() -> ScoringContext:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    inputs = torch.randn(5, 3)

    def loss(number: int) -> Tensor:
        return (network(inputs[number]) - 1.0).square().sum()

    return ScoringContext(
        network=network,
        layers={"0": network[0], "2": network[2]},
        batch_loss=loss,
        sample_loss=loss,
        rounded=lambda layer: layer.weight.detach(),
        ones_response=lambda copied: copied(torch.ones(1, 3, dtype=torch.float64)).sum(),
        saliencies=magnitude_scores,
        batches=5,
        taylor_form="mean_abs",
        seed=3,
    )


@pytest.mark.parametrize("name", [name for name, score in SCORES.items() if score.build is not None])
def test_every_pass_scores_every_weight_and_repeats_itself(name: str) -> None:
    build, given = SCORES[name].build, context()
    assert build is not None
    first, second = build(given)(1), build(given)(1)
    for layer, module in given.layers.items():
        assert first[layer].shape == module.weight.shape
        assert first[layer].dtype == torch.float32
        assert bool(torch.isfinite(first[layer]).all())
        assert bool((first[layer] >= 0).all())
        assert bool(first[layer].any())
        assert torch.equal(first[layer], second[layer])


def test_the_form_reaches_the_pass() -> None:
    given = context()
    squares = SCORES["taylor_pass"].build(ScoringContext(**(vars(given) | {"taylor_form": "mean_sq"})))(1)
    assert not torch.allclose(squares["0"], SCORES["taylor_pass"].build(given)(1)["0"])


def test_noise_differs_from_event_to_event() -> None:
    noise = SCORES["random"].build(context())
    assert not torch.equal(noise(1)["0"], noise(2)["0"])


def test_every_score_has_a_sentence() -> None:
    assert {
        "taylor",
        "taylor_pass",
        "quant_aware",
        "obs",
        "fisher_obs",
        "snip",
        "synflow",
        "magnitude",
        "random",
    } == set(SCORES)
    assert all(score.description for score in SCORES.values())
    assert [name for name, score in SCORES.items() if score.build is None] == ["taylor"]
