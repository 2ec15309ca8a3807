"""What the control does, as a recipe: the defaults are the digits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ControlRecipe:
    """All settings of the control; every run of the grid takes the same steps.

    Attributes:
        data: `digits` or `cifar10`.
        augment: shifts and mirror images while training.
        batch: images per step.
        dense_steps: of the training before pruning, once per seed.
        dense_rate: its learning rate, falling along a cosine.
        prune_steps: while weights are removed, at the constant rate `rate`.
        tune_steps: afterwards, the masks frozen, `rate` falling along a cosine.
        rate: see above.
        momentum: of SGD.
        weight_decay: of SGD.
        events: how often weights are removed.
        first_sparsity: where the first event goes at once.
        score_batches: batches of a scoring pass.
        scores: names in disparsity's registry.
        sparsities: shares of the weights to remove.
        seeds: of weights, batches and random scores.

    """

    data: str = "digits"
    augment: bool = False
    batch: int = 32
    dense_steps: int = 400
    dense_rate: float = 0.1
    prune_steps: int = 40
    tune_steps: int = 80
    rate: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 1e-4
    events: int = 8
    first_sparsity: float = 0.5
    score_batches: int = 4
    scores: tuple[str, ...] = ("taylor", "magnitude", "snip", "synflow", "random")
    sparsities: tuple[float, ...] = (0.9, 0.95, 0.97, 0.98, 0.99, 0.995)
    seeds: tuple[int, ...] = (0, 1, 2)


DIGITS = ControlRecipe()
CIFAR10 = ControlRecipe(
    data="cifar10",
    augment=True,
    batch=128,
    dense_steps=64_000,
    prune_steps=12_000,
    tune_steps=20_000,
    events=12,
    score_batches=16,
)
"""The dense network as in He et al., CVPR 2016, section 4.2, but for the rate, which falls along a cosine; days."""
RECIPES = {recipe.data: recipe for recipe in (DIGITS, CIFAR10)}
