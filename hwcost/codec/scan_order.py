"""Scan order: the compiled walk over one filter, its kernels and elements that are not zero, their signs and sizes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from disparsity.hwcost.codec.context_model import MOST_FEATURES, learn_bit

MOST_DIGITS = 65
"""One more than the binary digits of the largest magnitude, 2^63."""
SIZE_NODES = 16
"""Per number of digits: node 0 for "longer than this", 1..7 the tree of the three highest digits, 8 all other ones."""
SIGN_STATES = 16
_LOWER_DIGITS = 8
_KERNEL_CHANNEL, _ELEMENT_CHANNEL, _LAYER, _POSITION, _LAYER_SIZE = range(5)
_SHARED_POSITION, _KERNEL_AROUND, _ELEMENT_AROUND, _ELEMENT_BEFORE, _SIGN, _SIZE = range(5, 11)
_KERNEL_FILTER, _ELEMENT_FILTER, _SIZE_FILTER = range(3)


def most_bits(values: npt.NDArray[np.int64]) -> int:
    """The most bits that the walk over one filter ``[channels, area]`` can code."""
    largest = max(int(values.max(initial=0)), -int(values.min(initial=0)))
    return values.shape[0] + values.size + int(np.count_nonzero(values)) * (1 + 2 * largest.bit_length())


class Layer(NamedTuple):
    """What stays the same while the filters of a layer are walked.

    Attributes:
        values: ``[filters, channels, area]`` int64; a decoder fills them.
        live_channels: channels that may hold something, ascending.
        geometry: elements of a kernel, of its last axis, of its last two axes.
        odds: log-odds of a kernel, of an element after the first, and of each element while the kernel is empty.
        blocks: first features of the blocks, in the order of the constants above.
        sign: state of the signs, changed in place.
        sizes: False codes zeros alone.

    """

    values: Any
    live_channels: Any
    geometry: Any
    odds: Any
    blocks: Any
    sign: Any
    sizes: bool


@njit(cache=True)
def walk_filter(features: Any, coder: Any, layer: Any, index: int, own: Any, above: Any) -> Any:
    """Code filter `index` of a layer in place.

    Args:
        features: the model's table.
        coder: state and stream.
        layer: a `Layer`.
        index: of the filter.
        own: features of this filter: kernel, element, size.
        above: ``[channels]``, 1 where the kernel of the filter coded before this one held something, else 0.

    Returns:
        `above` for the next filter.

    """
    chosen, blocks = np.empty(MOST_FEATURES, np.int64), layer.blocks
    here = np.zeros_like(above)
    left = before_left = 0
    previous = -1
    for channel in layer.live_channels:
        around = left | before_left << 1 | above[channel] << 2
        chosen[0], chosen[1] = own[_KERNEL_FILTER], blocks[_KERNEL_CHANNEL] + channel
        chosen[2], chosen[3] = blocks[_LAYER], blocks[_KERNEL_AROUND] + around
        given = 1 if np.any(layer.values[index, channel] != 0) else 0
        holds = learn_bit(features, coder, given, layer.odds[0], chosen, 4)
        if holds:
            neighbours = (previous, index - 1 if above[channel] else -1)
            _code_elements(features, coder, layer, (index, channel), neighbours, own, chosen)
            previous = channel
            here[channel] = 1
        before_left, left = left, holds
    return here


@njit(cache=True)
def _code_elements(features: Any, coder: Any, layer: Any, where: Any, neighbours: Any, own: Any, chosen: Any) -> None:
    """Code one kernel that holds something; `neighbours` are the channel and the filter before it that do, or -1."""
    index, channel = where
    previous, above = neighbours
    values, blocks, odds, area = layer.values, layer.blocks, layer.odds, layer.geometry[0]
    kernel, count = values[index, channel], 0
    for position in range(area):
        bit = 1 if kernel[position] != 0 else 0
        if count == 0 and position == area - 1:
            bit = 1
        else:
            before = 1 if previous >= 0 and values[index, previous, position] != 0 else 0
            before |= 2 if above >= 0 and values[above, channel, position] != 0 else 0
            before |= 4 if count > 0 else 0
            chosen[0], chosen[1] = own[_ELEMENT_FILTER], blocks[_ELEMENT_CHANNEL] + channel
            chosen[2], chosen[3] = blocks[_POSITION] + position, blocks[_SHARED_POSITION] + position
            chosen[4] = blocks[_ELEMENT_AROUND] + _around(kernel, position, count, layer.geometry)
            chosen[5] = blocks[_ELEMENT_BEFORE] + before
            bit = learn_bit(features, coder, bit, odds[1] if count else odds[2 + position], chosen, 6)
        if bit:
            count += 1
            value = kernel[position]
            kernel[position] = _code_value(features, coder, value, own, layer, chosen) if layer.sizes else 1


@njit(cache=True)
def _around(kernel: Any, position: int, count: int, geometry: Any) -> int:
    """Which neighbours inside the kernel hold something, and whether one or more do in all."""
    if not count:
        return 0
    row, plane = geometry[1], geometry[2]
    found = 1 if position % row > 0 and kernel[position - 1] != 0 else 0
    found |= 2 if position % plane >= row and kernel[position - row] != 0 else 0
    found |= 4 if position >= plane and kernel[position - plane] != 0 else 0
    return 1 + found if count < 2 else 8 + found


@njit(cache=True)
def _code_value(features: Any, coder: Any, value: Any, own: Any, layer: Any, chosen: Any) -> Any:
    sign, blocks = layer.sign, layer.blocks
    chosen[0] = blocks[_SIGN] + sign[0]
    negative = learn_bit(features, coder, 1 if value < 0 else 0, 0.0, chosen, 1)
    sign[0] = sign[0] % 3 * 3 + 1 + negative
    # The magnitude of the lowest whole number is only whole without a sign.
    given = np.uint64(-(value + 1)) + np.uint64(1) if value < 0 else np.uint64(value)
    size = np.int64(_code_size(features, coder, given, own, blocks, chosen))
    return -size if negative else size


@njit(cache=True)
def _code_size(features: Any, coder: Any, size: Any, own: Any, blocks: Any, chosen: Any) -> Any:
    """From 1 up: the number of binary digits in unary, then the digits, the highest three learned."""
    digits = 0
    while digits < MOST_DIGITS - 1 and size >> np.uint64(digits) != 0:
        digits += 1
    chosen[2] = own[_SIZE_FILTER]
    length = 1
    while length < MOST_DIGITS - 1 and _code_node(features, coder, digits > length, length, 0, blocks, chosen, 3):
        length += 1
    read = np.uint64(1)
    for place in range(length - 2, -1, -1):
        bit = (size >> np.uint64(place)) & np.uint64(1)
        node = np.int64(read) if length - 2 - place < 3 else _LOWER_DIGITS
        read = read << np.uint64(1) | np.uint64(_code_node(features, coder, bit != 0, length, node, blocks, chosen, 2))
    return read


@njit(cache=True)
def _code_node(
    features: Any, coder: Any, bit: bool, length: int, node: Any, blocks: Any, chosen: Any, count: int
) -> int:
    chosen[0] = blocks[_SIZE] + length * SIZE_NODES + node
    chosen[1] = blocks[_LAYER_SIZE] + length * SIZE_NODES + node
    return learn_bit(features, coder, 1 if bit else 0, 0.0, chosen, count)
