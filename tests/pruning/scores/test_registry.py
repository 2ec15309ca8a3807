"""Registry of scores: every score gives one finite value per weight that is never negative."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from disparsity.base.choice import members, names_of
from disparsity.base.settings_errors import fields_of
from disparsity.pruning.scores.magnitude import magnitude_scores
from disparsity.pruning.scores.registry import SCORES
from disparsity.pruning.scores.score import ScoringContext
from disparsity.pruning.scores.settings import ScoreSettings


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
        seed=3,
    )


def settings(name: str, **changes: object) -> Any:
    kind = next(kind for kind in members(ScoreSettings.__origin__) if kind.name == name)
    counts = {key: 5 for key in ("batches", "samples") if key in fields_of(kind)}
    return kind(**counts | changes)


@pytest.mark.parametrize("name", SCORES)
def test_every_pass_scores_every_weight_and_repeats_itself(name: str) -> None:
    given = context()
    first, second = (SCORES[name](given, settings(name))(1) for _ in range(2))
    for layer, module in given.layers.items():
        assert first[layer].shape == module.weight.shape
        assert first[layer].dtype == torch.float32
        assert bool(torch.isfinite(first[layer]).all())
        assert bool((first[layer] >= 0).all())
        assert bool(first[layer].any())
        assert torch.equal(first[layer], second[layer])


def test_the_form_reaches_the_pass() -> None:
    given, build = context(), SCORES["taylor_pass"]
    squares, sizes = (build(given, settings("taylor_pass", form=form))(1) for form in ("mean_sq", "mean_abs"))
    assert not torch.allclose(squares["0"], sizes["0"])


def test_noise_differs_from_event_to_event() -> None:
    noise = SCORES["random"](context(), settings("random"))
    assert not torch.equal(noise(1)["0"], noise(2)["0"])


def test_every_score_but_that_of_the_steps_has_a_pass() -> None:
    assert [name for name in names_of(ScoreSettings) if name not in SCORES] == names_of(ScoreSettings, from_steps=True)
    assert set(SCORES) < set(names_of(ScoreSettings))
