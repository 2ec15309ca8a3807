"""Grid quantizers: weights as integer codes times steps, and inputs on a uniform grid; the base of most quantizers."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.quant.bits import offset_grid
from disparsity.quant.grids.levels import Levels
from disparsity.quant.grids.step_search import initial_steps
from disparsity.quant.grids.steps import log_of_step, step_from_log, to_float16
from disparsity.quant.quantizers.base import ActivationQuantizer, WeightQuantizer
from disparsity.quant.quantizers.fake_quantize import fake_quantize
from disparsity.quant.quantizers.settings import GridSettings, PercentileStepSettings, StepRule


class GridWeight(WeightQuantizer):
    """Quantizes a weight, already masked, to the nearest of its levels.

    Args:
        steps: ``[G]`` first steps, one for every `group` output channels.
        levels: the integers that a code may be.
        axis: the weight's axis that counts output channels.
        channels: its length.
        group: output channels that share a step; the last group may be smaller.
        learned: whether the steps are trained.

    """

    log_step: Tensor

    def __init__(
        self, steps: Tensor, *, levels: Levels, axis: int, channels: int, group: int = 1, learned: bool = True
    ) -> None:
        super().__init__()
        self.bits, self.levels, self.axis, self.channels, self.group = levels.bits, levels, axis, channels, group
        logarithms = log_of_step(steps)
        if learned:
            self.log_step = nn.Parameter(logarithms)
        else:
            self.register_buffer("log_step", logarithms)

    def forward(self, weight: Tensor) -> Tensor:
        """``step * nearest level of (weight / step)``, the same shape; pruned weights stay exactly 0."""
        step = self._along(step_from_log(self.log_step), weight)
        high, nearest = self.levels.high, None if self._is_plain else self.levels.nearest
        scale = self._gradient_scale(weight) if torch.is_grad_enabled() else 1.0
        quantized = fake_quantize(weight, step, -high, high, scale, nearest)
        # Adding +0 turns -0 into +0: a code has no sign bit for zero, and the weights must be bit-identical.
        return quantized + 0.0

    def steps(self) -> Tensor:
        """``[C]`` float16 steps that `forward` uses, those of a group repeated."""
        return self._of_channels(to_float16(self.log_step.detach().exp()))

    @torch.no_grad()
    def set_steps(self, steps: Tensor) -> None:
        """Go on from ``[C]`` steps; of a group its first channel's counts."""
        self.log_step.copy_(log_of_step(steps[:: self.group]))

    @torch.no_grad()
    def round_steps(self) -> None:
        """Replace the trained steps by the float16 values that `forward` uses."""
        self.set_steps(self.steps())

    @property
    def _is_plain(self) -> bool:
        return self.levels.is_uniform and self.bits > 1

    def _of_channels(self, values: Tensor) -> Tensor:
        """``[C]`` from one value a group."""
        return values if self.group == 1 else values.repeat_interleave(self.group)[: self.channels]

    def _along(self, values: Tensor, weight: Tensor) -> Tensor:
        """One value a group, in a shape that broadcasts to the weight."""
        shape = [1] * weight.ndim
        shape[self.axis] = -1
        return self._of_channels(values).view(shape)

    @torch.no_grad()
    def _gradient_scale(self, weight: Tensor) -> Tensor:
        """LSQ's ``1 / sqrt(N high)`` with N the weights that share a step. Interpretation: the non-zero ones."""
        count = (rows_of_groups(weight, self.axis, self.group) != 0).sum(dim=1).clamp_(min=1)
        return self._along((count * self.levels.high).to(weight.dtype).rsqrt_(), weight)


class GridActivation(ActivationQuantizer):
    """Quantizes a layer's input, one step for the whole tensor.

    Args:
        bits: 1..16.
        low: lowest code; None while the calibration has not decided, and the forward pass refuses until then.
        learned: whether the step is trained.

    """

    log_step: Tensor

    def __init__(self, *, bits: int, low: int | None = None, learned: bool = True) -> None:
        super().__init__()
        self.bits = bits
        self.low = low
        if learned:
            self.log_step = nn.Parameter(torch.zeros(()))
        else:
            self.register_buffer("log_step", torch.zeros(()))

    def forward(self, values: Tensor) -> Tensor:
        """``step * clip(round(values / step))``, the same shape.

        Raises:
            InputError: the quantizer was not calibrated.

        """
        if self.low is None:
            raise InputError("an activation quantizer was not calibrated", remedy="run calibrate() first")
        low, high = offset_grid(self.bits, self.low)
        # N is the size of one sample's feature map, as in the paper, so that the batch size changes nothing.
        features = max(1, values.numel() // max(1, values.shape[0]))
        return fake_quantize(values, step_from_log(self.log_step), low, high, (features * max(1, high)) ** -0.5)

    @torch.no_grad()
    def set_step(self, step: float) -> None:
        """Start from this step, rounded to float16."""
        self.log_step.copy_(log_of_step(torch.tensor(step)))

    def step(self) -> Tensor:
        """The float16 scalar step that `forward` uses."""
        return to_float16(self.log_step.detach().exp())

    @torch.no_grad()
    def round_steps(self) -> None:
        """Replace the trained step by the float16 value that `forward` uses."""
        self.log_step.copy_(log_of_step(self.step()))


def rows_of_groups(weight: Tensor, axis: int, group: int) -> Tensor:
    """``[G, N]``: the weights of every group of output channels in a row, a smaller last one filled up with zeros."""
    rows = weight.movedim(axis, 0).flatten(1)
    missing = -rows.shape[0] % group
    filled = F.pad(rows, (0, 0, 0, missing)) if missing else rows
    return filled.reshape(filled.shape[0] // group, group * filled.shape[1])


def fitted_steps(weight: Tensor, levels: Levels, axis: int, settings: GridSettings, fitted: bool) -> tuple[Tensor, int]:
    """First steps ``[G]`` for the non-zero weights of every group, and how many output channels a group has.

    Args:
        weight: effective weight.
        levels: the integers that a code may be.
        axis: the weight's axis that counts output channels.
        settings: who shares a step, and how it is found.
        fitted: false leaves the steps at 1.

    Raises:
        InputError: a weight is not finite.

    """
    group = settings.granularity.channels_per_step(weight.shape[axis])
    rows = rows_of_groups(weight.detach(), axis, group)
    return steps_by_rule(rows, levels, settings.initialisation, fitted), group


def steps_by_rule(rows: Tensor, levels: Levels, rule: StepRule, fitted: bool) -> Tensor:
    """First steps ``[G]`` for the non-zero values of ``[G, N]`` by a rule, or steps of 1 where none are fitted."""
    percentile = rule.percentile if isinstance(rule, PercentileStepSettings) else 100.0
    return initial_steps(rows, levels, rule.name if fitted else "unit", percentile)
