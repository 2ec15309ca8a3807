"""Sparse computation inside the training loop."""

from __future__ import annotations

import torch
from torch import Tensor

from disparsity.finetune.sparse.switch import switch_off, switch_on
from disparsity.finetune.training import StepHook, Trainer
from disparsity.pruning.masks import mask_modules


class SparseComputation(StepHook):
    """Keeps the sparse convolutions in step with the masks; comes after the hook that changes them."""

    def __init__(self) -> None:
        self._seen: dict[str, Tensor] = {}

    def before_step(self, trainer: Trainer, step: int) -> None:
        """Rebuild the sparse convolutions when an event has changed the masks."""
        del step
        if trainer.network.mean.device.type != "cpu":
            return  # the kernels are for processors
        frozen = {
            name: module.mask for name, module in mask_modules(trainer.network).items() if not module.straight_through
        }
        if not _same(frozen, self._seen):
            switch_off(trainer.network)
            if frozen:  # else a run that is resumed here, which has seen no masks either, would compute other bits
                switch_on(trainer.network)
            self._seen = {name: mask.clone() for name, mask in frozen.items()}

    def finish(self, trainer: Trainer) -> None:
        """Leave a network that computes as everybody else's."""
        switch_off(trainer.network)


def _same(now: dict[str, Tensor], then: dict[str, Tensor]) -> bool:
    return now.keys() == then.keys() and all(torch.equal(mask, then[name]) for name, mask in now.items())
