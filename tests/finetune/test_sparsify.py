"""Pruning inside training: events, exact counts, modes, what pruned weights keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from disparsity.base.errors import InputError
from disparsity.base.layers import trained_weight
from disparsity.datasets.batches.stream import Batch
from disparsity.finetune.modes.base import Mode
from disparsity.finetune.modes.frozen import Frozen
from disparsity.finetune.modes.regrow import Regrow
from disparsity.finetune.modes.settings import RegrowSettings
from disparsity.finetune.objective import Objective
from disparsity.finetune.settings import TrainSettings
from disparsity.finetune.sparsify import Sparsify
from disparsity.finetune.training import StepHook, Trainer
from disparsity.pruning.masks import attach_masks, mask_modules, masks_of
from disparsity.pruning.prunable import prunable_layers
from disparsity.pruning.scores.score import ScorePass
from disparsity.pruning.selection import keep_count
from disparsity.pruning.settings import PruneSettings
from disparsity.stereo.network import StereoNetwork

Batches = Callable[[int], Batch]


def regrow() -> Regrow:
    return Regrow(RegrowSettings())


def prune(
    network: StereoNetwork,
    batches: Batches,
    mode: Mode,
    watch: StepHook | None = None,
    steps: int = 8,
    score_pass: ScorePass | None = None,
    macs: Callable[[str], float] = lambda _name: 1.0,
    **changes: Any,
) -> Trainer:
    layers = prunable_layers(network, network.spec.protected)
    attach_masks(network, layers)
    settings = PruneSettings(**({"sparsity": 0.8, "events": 4, "event_fraction": 0.75} | changes))
    hook = Sparsify(layers, settings, steps, mode, {name: macs(name) for name in layers}, score_pass)
    training = TrainSettings(steps=steps, learning_rate=5e-3, lr_schedule="constant")
    run = Trainer(network, batches, Objective(settings=training), [hook, *([watch] if watch else [])])
    run.run("test")
    hook.finish(run)
    return run


class Densities(StepHook):
    """Records how many weights live while each step is taken."""

    def __init__(self) -> None:
        self.kept: list[int] = []

    def after_step(self, trainer: Trainer, step: int, loss: float) -> None:
        self.kept.append(sum(int(mask.sum()) for mask in masks_of(trainer.network).values()))


@pytest.mark.parametrize("mode", [Frozen, regrow])
def test_counts_follow_the_schedule_exactly_at_the_events(network: Any, batches: Batches, mode: Any) -> None:
    watch, net = Densities(), network()
    prune(net, batches, mode(), watch)
    total = sum(mask.numel() for mask in masks_of(net).values())
    # events before steps 2, 3 (1.5 * 2), 4 (1.5 * 3 rounds to even) and 6
    density = [keep_count(total, 0.2 ** (event / 4)) for event in range(5)]
    assert watch.kept == [density[i] for i in (0, 0, 1, 2, 3, 3, 4, 4)]


def test_protected_layers_stay_dense_and_no_layer_is_emptied(network: Any, batches: Batches) -> None:
    net = network()
    prune(net, batches, Frozen(), sparsity=0.99)
    assert not set(net.spec.protected) & set(masks_of(net))
    assert all(bool(mask.any()) for mask in masks_of(net).values())


class PrunedStaysZero(StepHook):
    """Asserts after every step that weights, gradients and moments of pruned weights are exactly zero."""

    def __init__(self) -> None:
        self.checked = 0

    def after_step(self, trainer: Trainer, step: int, loss: float) -> None:
        for name, module in mask_modules(trainer.network).items():
            layer = trainer.network.get_submodule(name)
            trained, gone = trained_weight(layer), ~module.mask
            state = trainer.optimizer.state[trained]
            assert trained.grad is not None
            for tensor in (trained, layer.weight, trained.grad, state["exp_avg"], state["exp_avg_sq"]):
                assert bool((tensor[gone] == 0).all())
            self.checked += int(gone.sum())


def test_frozen_keeps_weights_gradients_and_moments_of_pruned_weights_at_zero(network: Any, batches: Batches) -> None:
    watch = PrunedStaysZero()
    prune(network(), batches, Frozen(), watch)
    assert watch.checked > 10_000


def test_frozen_masks_only_shrink(network: Any, batches: Batches) -> None:
    masks: list[dict[str, torch.Tensor]] = []

    class Watch(StepHook):
        def after_step(self, trainer: Trainer, step: int, loss: float) -> None:
            masks.append({name: mask.clone() for name, mask in masks_of(trainer.network).items()})

    prune(network(), batches, Frozen(), Watch())
    for i in range(1, len(masks)):
        assert all(not bool((masks[i][name] & ~masks[i - 1][name]).any()) for name in masks[i])


def test_events_behind_the_last_step_are_held_at_the_end(network: Any, batches: Batches) -> None:
    net = network()
    run = prune(net, batches, Frozen(), event_fraction=1.0)
    assert run.step == 8
    assert Sparsify.density(net) == pytest.approx(0.2, abs=1e-3)


@pytest.mark.parametrize(("steps", "events"), [(0, 4), (3, 20)])
def test_running_score_needs_a_step_before_the_first_event(
    network: Any, batches: Batches, steps: int, events: int
) -> None:
    with pytest.raises(InputError, match="prune: no step was scored before the first event"):
        prune(network(), batches, Frozen(), steps=steps, events=events)


def test_score_pass_is_asked_at_every_event_and_needs_no_steps(network: Any, batches: Batches) -> None:
    net, asked = network(), []

    def scores(event: int) -> dict[str, torch.Tensor]:
        asked.append(event)
        return {name: trained_weight(net.get_submodule(name)).detach().abs() for name in masks_of(net)}

    before = {name: tensor.detach().clone() for name, tensor in net.named_parameters()}
    prune(net, batches, Frozen(), steps=0, score_pass=scores)
    assert asked == [1, 2, 3, 4]
    sizes = torch.cat([before[f"{name}.weight"].abs().flatten() for name in masks_of(net)])
    kept = torch.cat([mask.flatten() for mask in masks_of(net).values()])
    threshold = sizes.sort(descending=True).values[int(kept.sum())]
    assert float((sizes[kept] >= threshold).float().mean()) > 0.99


def test_mac_power_protects_cheap_layers(network: Any, batches: Batches) -> None:
    kept = {}
    for power in (0.0, 1.0):
        net = network()
        macs = lambda name: 1000.0 if name.startswith("refine") else 1.0  # noqa: E731
        prune(net, batches, Frozen(), macs=macs, mac_power=power)
        kept[power] = sum(int(mask.sum()) for name, mask in masks_of(net).items() if name.startswith("refine"))
    assert kept[1.0] < 0.5 * kept[0.0]


def test_a_frozen_layer_keeps_its_weights_and_is_named(
    network: Callable[..., StereoNetwork], batches: Batches, capsys: pytest.CaptureFixture[str]
) -> None:
    net = network()
    frozen = list(prunable_layers(net, net.spec.protected))[1]
    net.get_submodule(frozen).weight.requires_grad_(False)
    prune(net, batches, Frozen())
    masks = masks_of(net)
    assert bool(masks[frozen].all())
    others = {name: mask for name, mask in masks.items() if name != frozen}
    total = sum(mask.numel() for mask in others.values())
    assert sum(int(mask.sum()) for mask in others.values()) == keep_count(total, 0.2)
    assert f"no score for {frozen}: no gradient reaches these layers" in capsys.readouterr().err


def test_a_run_without_any_gradient_is_refused(network: Callable[..., StereoNetwork], batches: Batches) -> None:
    def unlabelled(step: int) -> Batch:
        batch = batches(step)
        return replace(batch, valid=torch.zeros_like(batch.valid))

    with pytest.raises(InputError, match="no weight has a score"):
        prune(network(), unlabelled, Frozen())
