"""Taps: the non-zero weights of a convolution; which output reads which plane of the input at which offset.

A stride is taken apart into phases: every s-th row and column of the padded input becomes a plane of its own, and on
those planes each weight is a shift. So one kernel serves every stride, dilation and padding in two and three
dimensions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

Indices = npt.NDArray[np.int64]
Size = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """Stride, dilation and padding of a convolution along depth, height and width (depth 1 in two dimensions)."""

    kernel: Size
    stride: Size
    dilation: Size
    padding: Size

    @staticmethod
    def of(layer: nn.Conv2d | nn.Conv3d) -> Geometry:
        """The geometry of a layer whose padding is given in numbers."""
        assert not isinstance(layer.padding, str)
        return Geometry(
            kernel=_in_three(layer.kernel_size, 1),
            stride=_in_three(layer.stride, 1),
            dilation=_in_three(layer.dilation, 1),
            padding=_in_three(layer.padding, 0),
        )

    def output_size(self, size: Size) -> Size:
        """Size of the output for an input of `size`."""
        depth, height, width = (
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, k, s, d, p in zip(size, self.kernel, self.stride, self.dilation, self.padding, strict=True)
        )
        return depth, height, width

    @property
    def strided(self) -> bool:
        """Whether the input falls apart into phases."""
        return self.stride != (1, 1, 1)

    def plane_size(self, size: Size) -> Size:
        """Size of the padded planes for an input of `size`."""
        depth, height, width = (-(-(n + 2 * p) // s) for n, s, p in zip(size, self.stride, self.padding, strict=True))
        return depth, height, width

    def phases(self, inputs: Tensor) -> Tensor:
        """The padded input ``[B, C, D, H, W]`` taken apart: ``[B, C * phases, D', H', W']``."""
        extra = [-(n + 2 * p) % s for n, p, s in zip(inputs.shape[2:], self.padding, self.stride, strict=True)]
        pads = [amount for p, more in zip(self.padding[::-1], extra[::-1], strict=True) for amount in (p, p + more)]
        padded = F.pad(inputs, pads)
        views = [padded[:, :, z :: self.stride[0], y :: self.stride[1], x :: self.stride[2]] for z, y, x in self._steps]
        return torch.stack(views, dim=2).flatten(1, 2)

    def from_phases(self, planes: Tensor, size: Size) -> Tensor:
        """The inverse of `phases`: ``[B, C, D, H, W]`` of `size`."""
        whole = [n * s for n, s in zip(planes.shape[2:], self.stride, strict=True)]
        padded = planes.new_empty(planes.shape[0], planes.shape[1] // len(self._steps), *whole)
        parts = planes.view(*padded.shape[:2], len(self._steps), *planes.shape[2:])
        for view, (z, y, x) in zip(parts.unbind(2), self._steps, strict=True):
            padded[:, :, z :: self.stride[0], y :: self.stride[1], x :: self.stride[2]] = view
        (near, top, left), (depth, height, width) = self.padding, size
        return padded[:, :, near : near + depth, top : top + height, left : left + width]

    @property
    def _steps(self) -> list[Size]:
        return [(z, y, x) for z in range(self.stride[0]) for y in range(self.stride[1]) for x in range(self.stride[2])]


@dataclass(frozen=True)
class Taps:
    """The non-zero weights of one layer, ordered by output channel.

    Attributes:
        index: position of each in the flattened weight.
        output: its output channel.
        plane: the plane of the input that it reads.
        shift: its offset on the plane along depth, height and width, ``[N, 3]``.
        outputs: output channels of the layer.
        planes: planes of the input.

    """

    index: Indices
    output: Indices
    plane: Indices
    shift: Indices
    outputs: int
    planes: int

    @staticmethod
    def of(mask: Tensor, geometry: Geometry) -> Taps:
        """The taps of a mask ``[O, C, (D,) H, W]``."""
        five = mask.unsqueeze(2) if mask.dim() == 4 else mask
        output, channel, *kernel = (axis.numpy() for axis in torch.nonzero(five, as_tuple=True))
        reach: Indices = np.stack(kernel, axis=1) * np.array(geometry.dilation, np.int64)
        stride = np.array(geometry.stride, np.int64)
        phase = np.ravel_multi_index(tuple((reach % stride).T), geometry.stride)
        phases = math.prod(geometry.stride)
        return Taps(
            index=torch.nonzero(five.flatten()).flatten().numpy(),
            output=output,
            plane=channel * phases + phase,
            shift=reach // stride,
            outputs=five.shape[0],
            planes=five.shape[1] * phases,
        )

    def offsets(self, size: Size) -> Indices:
        """Offset of each tap in a flattened plane of `size`."""
        return (self.shift[:, 0] * size[1] + self.shift[:, 1]) * size[2] + self.shift[:, 2]

    @cached_property
    def row_starts(self) -> Indices:
        """Where the taps of each output channel begin; one more entry than channels."""
        return _starts(self.output, self.outputs)

    @cached_property
    def by_plane(self) -> Indices:
        """The order that sorts the taps by input plane."""
        return np.argsort(self.plane, kind="stable")

    @cached_property
    def plane_starts(self) -> Indices:
        """Where the taps of each plane begin in `by_plane`."""
        return _starts(self.plane[self.by_plane], self.planes)


def _starts(sorted_groups: Indices, groups: int) -> Indices:
    return np.searchsorted(sorted_groups, np.arange(groups + 1)).astype(np.int64)


def _in_three(sizes: tuple[int, ...], missing: int) -> Size:
    depth, height, width = (missing,) * (3 - len(sizes)) + tuple(sizes)
    return depth, height, width
