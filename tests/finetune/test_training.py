"""The training loop: determinism, exact resumption, losses that are not finite, BatchNorm modes, parameter groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from disparsity.base.errors import DivergedError
from disparsity.datasets.batches.stream import Batch
from disparsity.finetune.lr_schedule import learning_rate
from disparsity.finetune.modes.base import Mode
from disparsity.finetune.modes.frozen import Frozen
from disparsity.finetune.modes.regrow import Regrow
from disparsity.finetune.modes.settings import RegrowSettings
from disparsity.finetune.objective import Objective
from disparsity.finetune.settings import TrainSettings
from disparsity.finetune.sparsify import Sparsify
from disparsity.finetune.training import StepHook, Trainer
from disparsity.pruning.masks import attach_masks, masks_of
from disparsity.pruning.prunable import prunable_layers
from disparsity.pruning.settings import PruneSettings
from disparsity.stereo.network import StereoNetwork

Batches = Callable[[int], Batch]
STEPS = 8


def regrow() -> Regrow:
    return Regrow(RegrowSettings())


def trainer(network: StereoNetwork, batches: Batches, hooks: list[StepHook] | None = None, **changes: Any) -> Trainer:
    settings = TrainSettings(**({"steps": STEPS, "learning_rate": 5e-3, "warmup": 2} | changes))
    return Trainer(network, batches, Objective(settings=settings), hooks or [])


def sparsify(network: StereoNetwork, mode: Mode, steps: int = STEPS, **changes: Any) -> Sparsify:
    layers = prunable_layers(network, network.spec.protected)
    attach_masks(network, layers)
    settings = PruneSettings(**({"sparsity": 0.8, "events": 4, "event_fraction": 0.75} | changes))
    return Sparsify(layers, settings, steps, mode, dict.fromkeys(layers, 1.0), None)


def copied(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def build(network: Any, batches: Batches, mode: Callable[[], Mode] | None) -> Trainer:
    net = network()
    return trainer(net, batches, [sparsify(net, mode())] if mode else [])


def test_loss_falls(network: Any, batches: Batches) -> None:
    losses: list[float] = []

    class Watch(StepHook):
        def after_step(self, trainer: Trainer, step: int, loss: float) -> None:
            losses.append(loss)

    trainer(network(), batches, [Watch()], steps=30).run("test")
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])


@pytest.mark.parametrize("mode", [None, Frozen, regrow])
def test_same_seed_twice_is_bit_identical(network: Any, batches: Batches, mode: Any) -> None:
    first, second = build(network, batches, mode), build(network, batches, mode)
    first.run("first")
    second.run("second")
    assert same(first.state(), second.state())


@pytest.mark.parametrize("mode", [None, Frozen, regrow])
def test_resumed_anywhere_is_bit_identical_to_unbroken(network: Any, batches: Batches, mode: Any) -> None:
    unbroken = build(network, batches, mode)
    stored: dict[int, dict[str, Tensor]] = {}

    class Snapshot(StepHook):
        def after_step(self, trainer: Trainer, step: int, loss: float) -> None:
            stored[step + 1] = copied(trainer.state())

    unbroken.hooks.append(Snapshot())
    unbroken.run("unbroken")
    for stop in (1, 3, 5, 7):
        resumed = build(lambda: network(seed=9), batches, mode)
        resumed.load(stored[stop])
        assert resumed.step == stop
        resumed.run("resumed")
        assert same(resumed.state(), unbroken.state()), stop


class Poison:
    """Batches whose images are not finite at chosen steps."""

    def __init__(self, batches: Batches, steps: set[int]) -> None:
        self._batches = batches
        self._steps = steps

    def __call__(self, step: int) -> Batch:
        batch = self._batches(step)
        if step in self._steps:
            return replace(batch, left=torch.full_like(batch.left, torch.nan))
        return batch


@pytest.mark.parametrize("batch_norm", ["train", "eval"])
def test_a_loss_that_is_not_finite_moves_nothing(network: Any, batches: Batches, batch_norm: str) -> None:
    run = trainer(network(), Poison(batches, {2}), batch_norm=batch_norm)
    seen: list[dict[str, Tensor]] = []

    class Watch(StepHook):
        def after_step(self, trainer: Trainer, step: int, loss: float) -> None:
            moments = {f"{i}.{k}": t for i, e in trainer.optimizer.state_dict()["state"].items() for k, t in e.items()}
            tensors = trainer.network.state_dict() | moments
            seen.append(copied({name: t for name, t in tensors.items() if not name.endswith("batches_tracked")}))

    run.hooks.append(Watch())
    run.run("test")
    assert same(seen[1], seen[2])
    assert not same(seen[2], seen[3])
    assert all(bool(torch.isfinite(tensor).all()) for tensor in seen[-1].values())


def test_several_in_a_row_end_the_training_with_the_step(network: Any, batches: Batches) -> None:
    run = trainer(network(), Poison(batches, {1, 2, 3, 4, 5, 6}))
    before: dict[str, Tensor] = {}

    class Watch(StepHook):
        def after_step(self, trainer: Trainer, step: int, loss: float) -> None:
            if step == 0:
                before.update(copied(dict(trainer.network.named_parameters())))

    run.hooks.append(Watch())
    with pytest.raises(DivergedError, match=r"step 4: the training diverged; found loss nan.*lower the learning rate"):
        run.run("test")
    assert same(before, dict(run.network.named_parameters()))


def test_single_bad_steps_do_not_add_up(network: Any, batches: Batches) -> None:
    trainer(network(), Poison(batches, {0, 2, 3, 5, 6}), steps=9).run("test")


@pytest.mark.parametrize("mode", [Frozen, regrow])
def test_a_bad_step_does_not_spoil_the_running_scores(network: Any, batches: Batches, mode: Any) -> None:
    net = network()
    hook = sparsify(net, mode())
    run = trainer(net, Poison(batches, {0, 3}), [hook])
    run.run("test")
    assert Sparsify.density(net) == pytest.approx(0.2, abs=1e-3)
    assert all(bool(torch.isfinite(tensor).all()) for tensor in hook.state().values())


def test_batch_norm_eval_keeps_the_statistics(network: Any, batches: Batches) -> None:
    for batch_norm, moves in (("train", True), ("eval", False)):
        net = network()
        before = copied(dict(net.named_buffers()))
        trainer(net, batches, batch_norm=batch_norm, steps=2).run("test")
        assert same(before, dict(net.named_buffers())) is not moves


def test_groups_scale_the_rate(network: Any, batches: Batches) -> None:
    net = network()
    settings = TrainSettings(steps=1, learning_rate=1e-2)
    first, *rest = net.parameters()
    groups = [{"params": rest}, {"params": [first], "rate_scale": 0.1}]
    run = Trainer(net, batches, Objective(settings=settings), parameter_groups=groups)
    before = first.detach().clone(), rest[0].detach().clone()
    run.run("test")
    assert [group["lr"] for group in run.optimizer.param_groups] == pytest.approx([1e-2, 1e-3])
    # the first step of Adam moves every weight by its rate
    assert float((first - before[0]).abs().max().detach()) == pytest.approx(1e-3, rel=1e-2)
    assert float((rest[0] - before[1]).abs().max().detach()) == pytest.approx(1e-2, rel=1e-2)


def test_rates_follow_the_schedule_and_gradients_are_clipped(network: Any, batches: Batches) -> None:
    rates: list[float] = []
    norms: list[float] = []

    class Watch(StepHook):
        def after_step(self, trainer: Trainer, step: int, loss: float) -> None:
            rates.append(trainer.optimizer.param_groups[0]["lr"])
            squares = [p.grad.square().sum() for p in trainer.network.parameters() if p.grad is not None]
            norms.append(float(torch.stack(squares).sum().sqrt()))

    run = trainer(network(), batches, [Watch()], clip_norm=1e-3)
    run.run("test")
    assert rates == [learning_rate(run.settings, step) for step in range(STEPS)]
    assert max(norms) <= 1.001e-3


def test_no_steps_do_nothing(network: Any, batches: Batches) -> None:
    net = network()
    before = copied(net.state_dict())
    trainer(net, batches, steps=0).run("test")
    assert same(before, net.state_dict())
    assert masks_of(net) == {}


def test_accumulated_steps_are_those_of_whole_batches_without_batch_statistics(network: Any, batches: Batches) -> None:
    whole, parted = network(), network()
    for net, count in ((whole, 1), (parted, 2)):
        trainer(net, batches, steps=3, batch_norm="eval", grad_accumulation_steps=count).run("train")
    for (name, one), other in zip(whole.named_parameters(), parted.parameters(), strict=True):
        if not name.endswith("bias"):  # Adam follows the signs of gradients that are zero but for rounding
            assert torch.allclose(one, other, atol=1e-5), name


def test_skipped_steps_are_resumed_too(network: Any, batches: Batches) -> None:
    first = trainer(network(), batches)
    first._skipped = 2
    second = trainer(network(), batches)
    second.load(copied(first.state()))
    assert second._skipped == 2
