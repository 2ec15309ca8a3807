"""Training loop: any network, with any masks and quantizers attached.

A batch is a pure function of the step, so that a resumed run sees exactly the batches of an unbroken one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from disparsity.base.distributed import average
from disparsity.base.errors import DivergedError
from disparsity.base.layers import quantizable_layers
from disparsity.base.progress import progress
from disparsity.base.tensor_names import with_prefix, without_prefix
from disparsity.datasets.batches.stream import Batch
from disparsity.finetune.lr_schedule import learning_rate
from disparsity.finetune.objective import Objective
from disparsity.finetune.optimizers.psgd import PSGD
from disparsity.finetune.optimizers.settings import PSGDSettings
from disparsity.finetune.recompute import recomputed_volumes
from disparsity.finetune.running_error import RunningError
from disparsity.finetune.shared_norm import shared_statistics
from disparsity.stereo.network import StereoNetwork

_SKIPPED_IN_A_ROW = 3


class StepHook:
    """What a method may do around a training step; the base class does nothing."""

    def before_step(self, trainer: Trainer, step: int) -> None:
        """Called before the batch of `step` is drawn."""

    def after_backward(self, trainer: Trainer, step: int) -> None:
        """Called when the gradients of `step` are there, all finite, and the weights have not moved."""

    def after_step(self, trainer: Trainer, step: int, loss: float) -> None:
        """Called when the weights have moved."""

    def finish(self, trainer: Trainer) -> None:
        """Called after the last step."""

    def state(self) -> dict[str, Tensor]:
        """The state that a checkpoint must hold for an exact resumption."""
        return {}

    def load(self, state: dict[str, Tensor]) -> None:
        """Go on from `state`."""


class Trainer:
    """Adam over a network's parameters, one batch per step.

    Args:
        network: trained in place.
        batches: the batch of a step number.
        objective: the loss.
        hooks: called around every step, in order.
        parameter_groups: what Adam is given; by default all parameters at the settings' rate. A group may hold
            `rate_scale`, a factor on the learning rate.

    """

    def __init__(
        self,
        network: StereoNetwork,
        batches: Callable[[int], Batch],
        objective: Objective,
        hooks: Sequence[StepHook] = (),
        parameter_groups: list[dict[str, Any]] | None = None,
    ) -> None:
        self.network = network
        self.settings = objective.settings
        self.hooks = list(hooks)
        self.optimizer = torch.optim.Adam(
            parameter_groups or [{"params": list(network.parameters())}], lr=self.settings.learning_rate
        )
        psgd = self.settings.psgd
        self._mover = self.optimizer if psgd is None else self._position_scaled(psgd)
        self.step = 0
        self._batches = batches
        self._objective = objective
        self._skipped = 0
        self._bar: tqdm[int] | None = None

    @property
    def errors(self) -> RunningError:
        """The disparity error of the batches so far."""
        return self._objective.errors

    def note(self, text: str) -> None:
        """Show a text beside the progress, where there is any."""
        if self._bar is not None:
            self._bar.set_postfix_str(text, refresh=False)

    def run(self, label: str) -> None:
        """Take the steps that are left.

        Raises:
            DivergedError: losses or gradients were not finite several steps in a row.

        """
        with shared_statistics(self.network), recomputed_volumes(self.network, self.settings.recompute_3d):
            self._bar = progress(range(self.step, self.settings.steps), label)
            for step in self._bar:
                self._one_step(step)

    def _one_step(self, step: int) -> None:
        for hook in self.hooks:
            hook.before_step(self, step)
        self._set_modes()
        self.optimizer.zero_grad(set_to_none=True)
        buffers = [buffer.clone() for buffer in self.network.buffers()]
        batch = self._batches(step)
        value, norm = self._shared(self._loss(batch)), self._gradient_norm()
        if math.isfinite(value) and math.isfinite(norm):
            self._move(step)
        else:
            self._skip(step, f"loss {value}, gradient norm {norm}, samples {', '.join(batch.ids)}", buffers)
        self.step = step + 1
        for hook in self.hooks:
            hook.after_step(self, step, value)

    def _loss(self, batch: Batch) -> Tensor:
        """The loss of a batch, whose gradients are left on the parameters."""
        count = self.settings.grad_accumulation_steps
        total = torch.zeros((), device=batch.left.device)
        for part in self._objective.parts(self.network, batch, count):
            share = part / count
            share.backward()  # type: ignore[no-untyped-call]
            total += share.detach()
        return total

    def _shared(self, loss: Tensor) -> float:
        """The loss of the whole batch; gradients become those of the whole batch too."""
        mean = loss.detach().clone()
        average([mean, *(parameter.grad for parameter in self.network.parameters() if parameter.grad is not None)])
        return float(mean)

    def _position_scaled(self, settings: PSGDSettings) -> PSGD:
        spec = self.network.spec
        layers = [layer for name, layer in quantizable_layers(self.network).items() if spec.compresses(name)]
        return PSGD(self.optimizer, layers, settings)

    def _gradient_norm(self) -> float:
        gradients = [parameter.grad for parameter in self.network.parameters() if parameter.grad is not None]
        return float(torch.nn.utils.get_total_norm(gradients))

    def _move(self, step: int) -> None:
        self._skipped = 0
        for hook in self.hooks:
            hook.after_backward(self, step)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip_norm)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.settings, step) * group.get("rate_scale", 1.0)
        self._mover.step()

    def _skip(self, step: int, found: str, buffers: list[Tensor]) -> None:
        """Leave weights, scores and BatchNorm statistics as they were before the step."""
        for buffer, before in zip(self.network.buffers(), buffers, strict=True):
            buffer.copy_(before)
        self._skipped += 1
        if self._skipped > _SKIPPED_IN_A_ROW:
            raise DivergedError(
                "the training diverged",
                where=f"step {step}",
                found=found,
                remedy="look at these pairs, or lower the learning rate",
            )

    def _set_modes(self) -> None:
        self.network.train()
        if self.settings.batch_norm == "eval":
            for module in self.network.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()

    def state(self) -> dict[str, Tensor]:
        """Everything that the next steps depend on."""
        numbers = {"step": torch.tensor(self.step), "skipped": torch.tensor(self._skipped)}
        tensors = numbers | with_prefix("network.", self.network.state_dict())
        for index, entry in self.optimizer.state_dict()["state"].items():
            tensors |= with_prefix(f"optimizer.{index}.", entry)
        for index, hook in enumerate(self.hooks):
            tensors |= with_prefix(f"hook.{index}.", hook.state())
        return tensors

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Go on from what `state` gave."""
        self.step, self._skipped = int(tensors["step"]), int(tensors["skipped"])
        self.network.load_state_dict(without_prefix("network.", tensors))
        state = self.optimizer.state_dict()
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in without_prefix("optimizer.", tensors).items():
            index, key = name.split(".", 1)
            moments.setdefault(int(index), {})[key] = tensor
        self.optimizer.load_state_dict({"state": moments, "param_groups": state["param_groups"]})
        device = self.network.mean.device
        for number, hook in enumerate(self.hooks):
            hook.load({name: t.to(device) for name, t in without_prefix(f"hook.{number}.", tensors).items()})
