"""Base class of every network: preprocessing and padding around the network's own estimate."""

from __future__ import annotations

from contextlib import nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.stereo.channels.coupling import ChannelCoupling
from disparsity.stereo.channels.trace import trace_coupling
from disparsity.stereo.spec import NetworkSpec
from disparsity.stereo.user_code import user_errors


class StereoNetwork(nn.Module):
    """A stereo network with its spec; subclasses implement `estimate`."""

    mean: Tensor
    std: Tensor
    users_own = False
    """Whether its code is a user's, whose errors are input errors."""
    needs_values = False
    """Whether it stores tensors of its runs outside of itself, so that it must never run without values."""

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        self.spec = spec
        self.register_buffer("mean", torch.tensor(spec.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(spec.std).view(1, 3, 1, 1), persistent=False)

    def estimate(self, left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
        """Disparity maps ``[B, H, W]`` coarse to fine from normalised views ``[B, 3, H, W]`` of a divisible size."""
        raise NotImplementedError

    def forward(self, left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
        """Disparity maps coarse to fine; a network may compute the coarse ones in training mode only.

        Args:
            left: ``[B, 3, H, W]`` RGB in 0..1, any size.
            right: the same shape.

        Returns:
            maps ``[B, H, W]`` in input pixels; padding is already cropped.

        Raises:
            InputError: the views differ in shape or are not ``[B, 3, H, W]``, the network's maps are not
                ``[B, H, W]``, or the code of a user's network fails.

        """
        if left.shape != right.shape or left.dim() != 4 or left.shape[1] != 3:
            raise InputError(
                "the two views do not match",
                found=f"left {tuple(left.shape)}, right {tuple(right.shape)}",
                expected="two tensors [B, 3, H, W] of one size",
            )
        height, width = left.shape[-2:]
        top, beyond = self.padding(height, width)
        with user_errors(self.spec.name) if self.users_own else nullcontext():
            maps = self.estimate(self._prepare(left, top, beyond), self._prepare(right, top, beyond))
        self._check(maps, (left.shape[0], height + top, width + beyond))
        return tuple(disparity[..., top:, :width] for disparity in maps)

    def padding(self, height: int, width: int) -> tuple[int, int]:
        """Rows above and columns on the right that views of this size are padded by."""
        return -height % self.spec.divisor, -width % self.spec.divisor

    def channel_coupling(self, size: tuple[int, int] | None = None) -> ChannelCoupling:
        """Which channels must be kept or removed together, found by following them through a run.

        Args:
            size: height and width of the views that it runs on: those of the training, where a network needs more than
                the smallest ones, which None takes.

        Not stored: it belongs to the present layers, which the removal of channels changes.
        The output channels of protected layers and of layers that only training runs are kept; layers that no stage
        compresses keep their input channels too.

        """
        height, width = size or (self.spec.divisor, 2 * self.spec.divisor)
        views = [torch.zeros(2, 3, height, width, device=self.mean.device)] * 2
        kept_outputs = (*self.spec.protected, *self.spec.not_at_inference)
        return trace_coupling(self, views, kept_outputs, self.spec.uncompressed)

    def _check(self, maps: tuple[Tensor, ...], shape: tuple[int, int, int]) -> None:
        wrong = [item for item in maps if not isinstance(item, Tensor) or item.shape != shape]
        if wrong or not maps:
            found = [tuple(item.shape) if isinstance(item, Tensor) else type(item).__name__ for item in maps]
            raise InputError(
                "the network returns no disparity maps", where=self.spec.name, found=found, expected=f"maps {shape}"
            )

    def _prepare(self, view: Tensor, top: int, beyond: int) -> Tensor:
        normalised = (view - self.mean) / self.std
        return F.pad(normalised, (0, beyond, top, 0)) if top or beyond else normalised
