"""Tiling: the tiles with the least DRAM traffic of a layer whose operands do not fit into the buffer.

A tile is a block of output positions, a block of output channels and a block of input channels. Its inputs (with
the halo that neighbouring blocks share), its weights and its outputs (as wide sums) lie in the buffer together.
Sums stay until they are finished, so that every output is written once. With all input channels in a tile, either
the inputs stay while the output channels pass, or the weights stay while the positions pass; otherwise both pass
again for every tile of outputs.
Source: the loop orders and their traffic as in Zhang et al., Optimizing FPGA-based accelerator design, FPGA 2015,
section 4.2. Interpretation: one buffer for all, not doubled; blocks are halvings of the whole.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from disparsity.hwcost.tracing.layer_call import LayerCall

Shape = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """Shape of one group of a layer, as tiling needs it.

    Attributes:
        inputs, outputs: spatial shapes; a Linear layer has one axis, its rows.
        kernel, stride, dilation: per axis.
        transposed: whether the stride widens instead of narrowing.
        channels_in, channels_out: of one group.
        batch: how often the positions are repeated.

    """

    inputs: Shape
    outputs: Shape
    kernel: Shape
    stride: Shape
    dilation: Shape
    transposed: bool
    channels_in: int
    channels_out: int
    batch: int


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """The best tiles and their traffic.

    Attributes:
        positions: block of output positions, per axis.
        channels_out, channels_in: blocks of channels.
        buffer_bytes: what one tile holds.
        read_bytes, written_bytes: DRAM traffic of the whole call.

    """

    positions: Shape
    channels_out: int
    channels_in: int
    buffer_bytes: float
    read_bytes: float
    written_bytes: float

    @property
    def dram_bytes(self) -> float:
        """Read and written."""
        return self.read_bytes + self.written_bytes


def compulsory_bytes(call: LayerCall) -> float:
    """Every weight (at its width, zeros included), input and output moved once: no tiling moves less."""
    return call.weight_count * call.weight_bits / 8 + _activation_bytes(
        call, call.input_elements + call.output_elements
    )


def tiled(call: LayerCall, buffer_bytes: int) -> Tiling | None:
    """The tiling with the least DRAM traffic, None where not even the smallest tile fits or nothing has weights."""
    if not call.weight_count:
        return None
    widths = (call.activation_bits / 8, call.weight_bits / 8, call.accumulator_bits / 8)
    return _best(geometry(call), call.groups, widths, buffer_bytes)


def geometry(call: LayerCall) -> Geometry:
    """One group of a call; a Linear layer is a convolution with a kernel of 1 over its rows."""
    axes = len(call.kernel) or 1
    inputs: Shape
    outputs: Shape
    if not call.kernel:
        inputs = outputs = (math.prod(call.output_shape[:-1]),)
        channels_in, channels_out, batch = call.input_shape[-1], call.output_shape[-1], 1
    else:
        inputs, outputs = call.input_shape[-axes:], call.output_shape[-axes:]
        channels_in, channels_out = call.input_shape[-axes - 1], call.output_shape[-axes - 1]
        batch = call.input_shape[0] if len(call.input_shape) == axes + 2 else 1
    ones = (1,) * axes
    return Geometry(
        inputs=inputs,
        outputs=outputs,
        kernel=call.kernel or ones,
        stride=call.stride or ones,
        dilation=call.dilation or ones,
        transposed=call.kind.startswith("ConvTranspose"),
        channels_in=channels_in // call.groups,
        channels_out=channels_out // call.groups,
        batch=batch,
    )


def footprint(block: int, kernel: int, stride: int, dilation: int, *, transposed: bool) -> int:
    """Inputs along one axis that a block of outputs needs."""
    reach = dilation * (kernel - 1)
    return (block - 1 + reach) // stride + 1 if transposed else (block - 1) * stride + reach + 1


@lru_cache(maxsize=4096)
def _best(shape: Geometry, groups: int, widths: tuple[float, float, float], buffer_bytes: int) -> Tiling | None:
    choices = _Choices.of(shape, widths)
    fitting = np.where(choices.buffer_bytes <= buffer_bytes, choices.read_bytes, np.inf)
    best = np.unravel_index(int(fitting.argmin()), fitting.shape)
    if np.isinf(fitting[best]):
        return None
    position, channels_out, channels_in = map(int, best)
    outputs = math.prod(shape.outputs) * shape.channels_out * shape.batch
    return Tiling(
        positions=choices.positions[position],
        channels_out=choices.channels_out[channels_out],
        channels_in=choices.channels_in[channels_in],
        buffer_bytes=float(choices.buffer_bytes[best]),
        read_bytes=groups * float(fitting[best]),
        written_bytes=groups * outputs * widths[0],
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Choices:
    """All tilings of one group at once: ``[positions, channels_out, channels_in]`` bytes of the buffer and read."""

    positions: list[Shape]
    channels_out: list[int]
    channels_in: list[int]
    buffer_bytes: npt.NDArray[np.float64]
    read_bytes: npt.NDArray[np.float64]

    @classmethod
    def of(cls, shape: Geometry, widths: tuple[float, float, float]) -> _Choices:
        """Bytes of every choice; the widths are those of activations, weights and sums, in bytes."""
        activation, weight, accumulator = widths
        positions, outs, ins = (
            _position_blocks(shape.outputs),
            _halvings(shape.channels_out),
            _halvings(shape.channels_in),
        )
        held, moved, area, blocks = (
            np.array(column, np.float64)[:, None, None]
            for column in zip(*(_block_figures(shape, block) for block in positions), strict=True)
        )
        out, channels = np.array(outs, np.float64)[None, :, None], np.array(ins, np.float64)[None, None, :]
        taps = math.prod(shape.kernel)
        inputs = moved * shape.channels_in * shape.batch * activation
        weights = taps * shape.channels_in * shape.channels_out * weight
        passes = np.ceil(shape.channels_out / out)
        inputs_pass, weights_pass = inputs * passes + weights, inputs + weights * np.where(passes > 1, blocks, 1)
        both_pass = inputs * passes + weights * blocks
        return cls(
            positions=positions,
            channels_out=outs,
            channels_in=ins,
            buffer_bytes=held * channels * activation + taps * channels * out * weight + area * out * accumulator,
            read_bytes=np.where(channels < shape.channels_in, both_pass, np.minimum(weights_pass, inputs_pass)),
        )


def _block_figures(shape: Geometry, block: Shape) -> tuple[int, int, int, int]:
    """Of a block of positions: inputs that a tile holds, that all tiles read together, its size, and how many."""
    blocks = math.prod(-(-out // size) for out, size in zip(shape.outputs, block, strict=True)) * shape.batch
    return math.prod(_held(shape, block)), math.prod(_moved(shape, block)), math.prod(block), blocks


def _held(shape: Geometry, positions: Shape) -> list[int]:
    """Inputs that the largest tile holds, per axis."""
    return [min(_need(shape, axis, block), shape.inputs[axis]) for axis, block in enumerate(positions)]


def _moved(shape: Geometry, positions: Shape) -> list[int]:
    """Inputs that all tiles read together, per axis: halos count again, and nothing counts in a single tile."""
    moved = []
    for axis, block in enumerate(positions):
        whole, rest = divmod(shape.outputs[axis], block)
        needs = [_need(shape, axis, block)] * whole + ([_need(shape, axis, rest)] if rest else [])
        total = sum(min(need, shape.inputs[axis]) for need in needs)
        moved.append(shape.inputs[axis] if len(needs) == 1 else max(total, shape.inputs[axis]))
    return moved


def _need(shape: Geometry, axis: int, block: int) -> int:
    return footprint(block, shape.kernel[axis], shape.stride[axis], shape.dilation[axis], transposed=shape.transposed)


def _position_blocks(outputs: Shape) -> list[Shape]:
    """All axes whole, then the leading axes halved to single lines, then the last: long rows are kept longest."""
    blocks, current = [tuple(outputs)], list(outputs)
    while max(current) > 1:
        axis = max(range(len(current)), key=lambda axis: (current[axis] if axis < len(current) - 1 else 1, axis))
        current[axis] = -(-current[axis] // 2)
        blocks.append(tuple(current))
    return blocks


def _halvings(count: int) -> list[int]:
    """The count and its halves down to 1."""
    sizes = [count]
    while sizes[-1] > 1:
        sizes.append(-(-sizes[-1] // 2))
    return sizes


def _activation_bytes(call: LayerCall, elements: int) -> float:
    return elements * call.activation_bits / 8
