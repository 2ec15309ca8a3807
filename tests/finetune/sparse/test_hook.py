"""The hook inside a real training loop."""

from collections.abc import Callable

import torch

from disparsity.datasets.batches.stream import Batch
from disparsity.finetune.objective import Objective
from disparsity.finetune.settings import TrainSettings
from disparsity.finetune.sparse.hook import SparseComputation
from disparsity.finetune.training import StepHook, Trainer
from disparsity.pruning.masks import attach_masks, masks_of, set_masks
from disparsity.pruning.prunable import prunable_layers
from disparsity.stereo.network import StereoNetwork


class PruneAt(StepHook):
    """Sets every mask to a random one of a density before a step."""

    def __init__(self, densities: dict[int, float]) -> None:
        self._densities = densities

    def before_step(self, trainer: Trainer, step: int) -> None:
        if step in self._densities:
            generator = torch.Generator().manual_seed(step)
            density = self._densities[step]
            masks = masks_of(trainer.network)
            set_masks(
                trainer.network, {n: torch.rand(m.shape, generator=generator) < density for n, m in masks.items()}
            )


class CountSparse(StepHook):
    """Notes how many layers compute sparsely in each step."""

    def __init__(self) -> None:
        self.counts: list[int] = []

    def after_backward(self, trainer: Trainer, step: int) -> None:
        self.counts.append(sum("_conv_forward" in vars(module) for module in trainer.network.modules()))


def train(network: StereoNetwork, batches: Callable[[int], Batch], hooks: list[StepHook], steps: int = 4) -> None:
    settings = TrainSettings(steps=steps, learning_rate=1e-3, lr_schedule="constant")
    attach_masks(network, prunable_layers(network, network.spec.protected))
    trainer = Trainer(network, batches, Objective(settings=settings), hooks)
    trainer.run("test")
    for hook in hooks:
        hook.finish(trainer)


def test_layers_follow_the_masks_and_return_to_dense(
    network: Callable[..., StereoNetwork], batches: Callable[[int], Batch]
) -> None:
    pruned, counter = network(), CountSparse()
    train(pruned, batches, [PruneAt({1: 0.9, 2: 0.2}), SparseComputation(), counter])
    narrow = len(pruned.spec.protected)
    assert counter.counts[:2] == [narrow, narrow]
    assert counter.counts[2] == counter.counts[3] == narrow + len(prunable_layers(pruned, pruned.spec.protected))
    assert not any("_conv_forward" in vars(module) for module in pruned.modules())


def test_the_gradients_are_those_of_the_dense_kernels(
    network: Callable[..., StereoNetwork], batches: Callable[[int], Batch]
) -> None:
    dense, sparse = network(), network()
    train(dense, batches, [PruneAt({0: 0.2})], steps=1)
    train(sparse, batches, [PruneAt({0: 0.2}), SparseComputation()], steps=1)
    for one, two in zip(dense.parameters(), sparse.parameters(), strict=True):
        assert one.grad is not None
        assert two.grad is not None
        assert (one.grad - two.grad).norm() <= 1e-3 * one.grad.norm() + 1e-4
