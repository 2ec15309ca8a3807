"""Learned step size quantization: symmetric weights per output channel, activations per tensor.

Source: Esser et al., Learned Step Size Quantization, ICLR 2020. Interpretation: counts are of non-zero weights (pruned
weights say nothing about the step), and steps are trained as logarithms (see `steps`). The offset of activations is
that of LSQ+ (Bhalgat et al., CVPR workshops 2020), as a whole number of steps that the calibration chooses and training
leaves alone, so that 0 stays exactly 0.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from disparsity.errors import InputError
from disparsity.quant.bits import grid, offset_grid
from disparsity.quant.quantizers.base import ActivationQuantizer, WeightQuantizer
from disparsity.quant.quantizers.fake_quantize import fake_quantize
from disparsity.quant.step_search import initial_steps
from disparsity.quant.steps import log_of_step, step_from_log, to_float16


class LsqWeight(WeightQuantizer):
    """Quantizes a weight, already masked, per output channel.

    Args:
        steps: ``[C]`` first steps.
        bits: 2..16; 2 is ternary.
        axis: the weight's axis of length C.

    """

    kind = "lsq"

    def __init__(self, steps: Tensor, *, bits: int, axis: int) -> None:
        super().__init__()
        self.bits = bits
        self.axis = axis
        self.low, self.high = grid(bits, signed=True)
        self.log_step = nn.Parameter(log_of_step(steps))

    def forward(self, weight: Tensor) -> Tensor:
        """``step * clip(round(weight / step))``, the same shape; pruned weights stay exactly 0."""
        shape = [1] * weight.ndim
        shape[self.axis] = -1
        step = step_from_log(self.log_step).view(shape)
        quantized = fake_quantize(weight, step, self.low, self.high, self._gradient_scale(weight, shape))
        # Adding +0 turns -0 into +0: a code has no sign bit for zero, and the weights must be bit-identical.
        return quantized + 0.0

    def steps(self) -> Tensor:
        """``[C]`` float16 steps that `forward` uses."""
        return to_float16(self.log_step.detach().exp())

    @torch.no_grad()
    def round_steps(self) -> None:
        """Replace the trained steps by the float16 values that `forward` uses."""
        self.log_step.copy_(log_of_step(self.steps()))

    @torch.no_grad()
    def _gradient_scale(self, weight: Tensor, shape: list[int]) -> Tensor:
        others = [axis for axis in range(weight.ndim) if axis != self.axis]
        count = (weight != 0).sum(dim=others).clamp_(min=1)
        return (count * self.high).to(weight.dtype).rsqrt_().view(shape)


class LsqActivation(ActivationQuantizer):
    """Quantizes a layer's input, one step for the whole tensor.

    Args:
        bits: 2..16.
        low: lowest code; None while the calibration has not decided, and the forward pass refuses until then.

    """

    kind = "lsq"

    def __init__(self, *, bits: int, low: int | None = None) -> None:
        super().__init__()
        self.bits = bits
        self.low = low
        self.log_step = nn.Parameter(torch.zeros(()))

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
        return fake_quantize(values, step_from_log(self.log_step), low, high, (features * high) ** -0.5)

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


def lsq_weight(weight: Tensor, bits: int, axis: int, initialisation: str) -> LsqWeight:
    """A weight quantizer whose steps fit the non-zero values of `weight`.

    Raises:
        InputError: a weight is not finite, or the initialisation is unknown.

    """
    rows = weight.detach().movedim(axis, 0).flatten(1)
    low, high = grid(bits, signed=True)
    return LsqWeight(initial_steps(rows, low, high, initialisation), bits=bits, axis=axis)


def lsq_activation(bits: int, low: int | None) -> LsqActivation:
    """An activation quantizer that waits for its calibration."""
    return LsqActivation(bits=bits, low=low)
