"""Quantizer interface: what attaching, storing and reading code may use."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from torch import Tensor, nn

from disparsity.quant.grids.levels import Levels


class WeightQuantizer(nn.Module, ABC):
    """A parametrization of ``layer.weight`` that puts a weight on integer codes times one step per output channel.

    Attributes:
        kind: its name in the registry.
        bits: bit width of the codes.
        levels: the integers that a code may be.
        axis: the axis of the weight that counts output channels.
        group: consecutive output channels that share a step.
        integer: whether a weight is a code times a step, so that arithmetic can be in integers.

    """

    kind: ClassVar[str]
    integer: ClassVar[bool] = True
    bits: int
    levels: Levels
    axis: int
    group: int

    @abstractmethod
    def forward(self, weight: Tensor) -> Tensor:
        """The quantized weight, the same shape; 0 stays exactly 0."""

    @abstractmethod
    def steps(self) -> Tensor:
        """``[C]`` float16 steps that `forward` uses, those of a group repeated."""

    @abstractmethod
    def set_steps(self, steps: Tensor) -> None:
        """Go on from ``[C]`` steps; of a group its first channel's counts."""

    @abstractmethod
    def round_steps(self) -> None:
        """Replace the trained steps by the float16 values that `forward` uses."""

    def settings(self) -> dict[str, Any]:
        """What its structure depends on beside the defaults, by the names that checkpoints use."""
        return {"granularity": "per_group", "group_size": self.group} if self.group > 1 else {}


class ActivationQuantizer(nn.Module, ABC):
    """Quantizes a layer's input with one step per tensor.

    Attributes:
        kind: its name in the registry.
        bits: bit width of the codes.
        low: lowest code, None until the calibration has decided it; the grid is ``low .. low + 2^bits - 1``.
        observer: while the calibration runs, sees the layer's input, which then stays in float.

    """

    kind: ClassVar[str]
    bits: int
    low: int | None
    observer: Callable[[Tensor], None] | None = None

    @abstractmethod
    def forward(self, values: Tensor) -> Tensor:
        """The quantized input, the same shape; 0 stays exactly 0."""

    @abstractmethod
    def set_step(self, step: float) -> None:
        """Start from this step."""

    @abstractmethod
    def step(self) -> Tensor:
        """The float16 scalar step that `forward` uses."""

    @abstractmethod
    def round_steps(self) -> None:
        """Replace the trained step by the float16 value that `forward` uses."""
