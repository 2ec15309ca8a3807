"""What modes share, the registry, and the two that zero at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor, nn

from disparsity.base.layers import trained_weight
from disparsity.finetune.modes.alternating import Alternating
from disparsity.finetune.modes.base import Mode, clear_pruned_moments
from disparsity.finetune.modes.frozen import Frozen
from disparsity.finetune.modes.reconstruct import Reconstruct
from disparsity.finetune.modes.rigl import RigL
from disparsity.finetune.modes.settings import AlternatingSettings, RigLSettings, SoftSettings
from disparsity.finetune.modes.soft import Soft
from disparsity.finetune.training import StepHook, Trainer
from disparsity.pruning.masks import mask_modules, set_masks

Build = Callable[[list[bool]], nn.Sequential]
NEW: dict[str, Callable[[], Mode]] = {
    "alternating": lambda: Alternating(AlternatingSettings(dense_fraction=0.6)),
    "soft": lambda: Soft(SoftSettings(decay=0.5)),
    "rigl": lambda: RigL(RigLSettings(drop_fraction=0.4)),
}


def test_frozen_pruned_weights_lose_against_every_live_one(masked_layer: Build) -> None:
    network = masked_layer([True, False, True])
    scores = Frozen().adjust_scores({"0": torch.tensor([[0.0, 9.0, 1.0]])}, network)
    assert scores["0"].tolist() == [[0.0, -1.0, 1.0]]


def test_clearing_moments_keeps_those_of_live_weights(masked_layer: Build) -> None:
    network = masked_layer([True, True, True])
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    network(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    set_masks(network, {"0": torch.tensor([[True, False, True]])})
    clear_pruned_moments(network, None)
    clear_pruned_moments(network, optimizer)
    state = optimizer.state[trained_weight(network[0])]
    assert (state["exp_avg"] != 0).tolist() == [[True, False, True]]
    assert (state["exp_avg_sq"] != 0).tolist() == [[True, False, True]]


def test_reconstruct_zeroes_first_then_solves_and_forgets_when_weights_move(masked_layer: Build) -> None:
    network = masked_layer([True, False, True])
    seen: list[object] = []

    class Solver:
        def solve(self) -> None:
            seen.append(trained_weight(network[0]).detach().tolist())

        def forget(self) -> None:
            seen.append("forget")

    mode = Reconstruct(Solver())
    mode.after_event(network, None)
    mode.after_backward(network)
    assert seen == [[[1.0, 0.0, 3.0]], "forget"]


@pytest.mark.parametrize("name", NEW)
def test_pruned_weights_and_their_optimizer_state_end_exactly_zero(
    pruned_by: Callable[..., Trainer], run_to_end: Callable[[Trainer], Trainer], name: str
) -> None:
    trainer = run_to_end(pruned_by(NEW[name]()))
    gone = 0
    for layer_name, module in mask_modules(trainer.network).items():
        trained = trained_weight(trainer.network.get_submodule(layer_name))
        state = trainer.optimizer.state[trained]
        assert not module.straight_through
        for tensor in (trained, state["exp_avg"], state["exp_avg_sq"]):
            assert not bool(tensor[~module.mask].any())
        gone += int((~module.mask).sum())
    total = sum(module.mask.numel() for module in mask_modules(trainer.network).values())
    assert gone == total - round(0.2 * total)


def copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


@pytest.mark.parametrize("name", NEW)
def test_resumed_in_the_middle_gives_the_same_bits(
    pruned_by: Callable[..., Trainer], run_to_end: Callable[[Trainer], Trainer], name: str
) -> None:
    stored: dict[int, dict[str, Tensor]] = {}

    class Snapshot(StepHook):
        def after_step(self, trainer: Trainer, step: int, loss: float) -> None:
            stored[step + 1] = copied(trainer.state())

    unbroken = run_to_end(pruned_by(NEW[name](), Snapshot())).state()
    for stop in (5, 9):  # in a dense phase right before an event, and in the tail
        resumed = pruned_by(NEW[name](), StepHook(), seed=9)
        resumed.load(stored[stop])
        again = run_to_end(resumed).state()
        assert again.keys() == unbroken.keys()
        assert all(torch.equal(again[key], tensor) for key, tensor in unbroken.items()), stop
