"""The weights of a network as one adaptive stream: where they are not zero, their signs, their sizes.

A layer is seen as ``[filters, channels, positions]``. A float layer without zeros is named as such. Filters and
channels that hold nothing are named once. In what is left, a bit per kernel says whether it holds anything, and
only in kernels that do, a bit per position. The chance of each bit starts from the layer's density, which is
stored, and moves with the filter, the channel, the position and the neighbours, as far as the layer really is
uneven: the encoder measures that spread and stores it in three bits each. All layers share one stream, so that
one learns from another.

Interpretation: the model is our own; the idea of coding significance, sign and size with adaptive contexts
is CABAC's (D. Marpe et al., 2003), as used for networks by DeepCABAC (S. Wiedemann et al., 2020).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from disparsity.hwcost.layerplan import LayerPlan, code_plan, plan_of
from disparsity.hwcost.logistic import LogisticModel

IntArray = npt.NDArray[np.int64]

_SHARED, _FLOOR = 0.1, 0.001


def code_positions(model: LogisticModel, values: list[int], shape: Sequence[int], *, sizes: bool) -> None:
    """Code the flat weights `values` of a layer ``[filters, channels, *kernel]`` in place.

    An encoder reads `values`; a decoder is given zeros and fills them. Without `sizes` only the zeros are
    coded and what is not zero is 1.
    """
    filters, channels = shape[0], shape[1]
    area = math.prod(shape[2:])
    if not sizes and _code_full(model, values):
        return
    live_filters, live_channels = _code_live(model, values, filters, channels, area)
    if not live_filters or not live_channels:
        return
    plan = code_plan(model, plan_of(values, live_filters, live_channels, channels, area), area)
    _LayerCoder(model, values, shape, plan, sizes=sizes).run(live_filters, live_channels)


def _code_full(model: LogisticModel, values: list[int]) -> bool:
    """Whether nothing is zero, as in a layer that was never pruned: then nothing more has to be told."""
    if not model.code(int(all(values)), 0.0, (model.named("full", 2.0, 0.05),)):
        return False
    values[:] = [1] * len(values)
    return True


def _code_live(
    model: LogisticModel, values: list[int], filters: int, channels: int, area: int
) -> tuple[list[int], list[int]]:
    nonzero = np.fromiter((value != 0 for value in values), bool, len(values)).reshape(filters, channels, area)
    holds = np.logical_or.reduce(nonzero, axis=2)
    live_filters = _code_flags(model, "filter", holds)
    live_channels = _code_flags(model, "channel", holds[live_filters].T)
    return live_filters, live_channels


def _code_flags(model: LogisticModel, unit: str, holds: npt.NDArray[np.bool_]) -> list[int]:
    """The rows of `holds` that are not empty; all of them where naming the empty ones does not pay."""
    count = holds.shape[0]
    flags = np.logical_or.reduce(holds, axis=1)
    if not model.code(int(_flags_pay(holds, flags)), 0.0, (model.named(("flags", unit), 2.0, 0.05),)):
        return list(range(count))
    features = (model.feature(2.0), model.named(("live", unit), 4.0, 0.05))
    return [index for index in range(count) if model.code(int(flags[index]), 0.0, features)]


def _flags_pay(holds: npt.NDArray[np.bool_], flags: npt.NDArray[np.bool_]) -> bool:
    """Whether naming the empty filters (or channels) costs less than coding their kernels as empty."""
    if not holds.any():
        return True
    living, density = float(flags.mean()), float(holds.mean())
    named = flags.size * _entropy(living) + holds.size * living * _entropy(density / living)
    return named < holds.size * _entropy(density)


def _entropy(chance: float) -> float:
    if not 0 < chance < 1:
        return 0.0
    return -chance * math.log2(chance) - (1 - chance) * math.log2(1 - chance)


class _LayerCoder:
    """The state of one layer while it is walked, filter by filter, channel by channel."""

    def __init__(
        self, model: LogisticModel, values: list[int], shape: Sequence[int], plan: LayerPlan, *, sizes: bool
    ) -> None:
        self.model, self.values, self.plan, self.sizes = model, values, plan, sizes
        self.channels, self.kernel = shape[1], tuple(shape[2:])
        self.area = math.prod(self.kernel)
        self.row = self.kernel[-1] if self.kernel else 1
        self.plane = math.prod(self.kernel[-2:])
        filters = shape[0]
        self.kernel_filter = model.features(filters, plan.kernel_filter)
        self.kernel_channel = model.features(self.channels, plan.kernel_channel)
        self.kernel_layer = model.feature(0.01)
        self.element_filter = model.features(filters, plan.element_filter)
        self.element_channel = model.features(self.channels, plan.element_channel)
        self.element_position = model.features(self.area, plan.element_position)
        self.shared_position = [
            model.named(("position", self.kernel, position), _SHARED, _FLOOR) for position in range(self.area)
        ]
        self.kernel_around = [model.named(("kernel around", around), _SHARED, _FLOOR) for around in range(8)]
        self.element_around = [model.named(("element around", around), _SHARED, _FLOOR) for around in range(16)]
        self.element_before = [model.named(("element before", before), _SHARED, _FLOOR) for before in range(8)]
        self.first, self.later = plan.element_odds(self.area)
        self.size = _SizeCoder(model)
        self.sign = 0

    def run(self, live_filters: list[int], live_channels: list[int]) -> None:
        """Walk the layer."""
        above = [0] * self.channels
        for filter_index in live_filters:
            here = [0] * self.channels
            left = before_left = 0
            previous = -1
            for channel in live_channels:
                start = (filter_index * self.channels + channel) * self.area
                around = self.kernel_around[left | before_left << 1 | (above[channel] > 0) << 2]
                holds = self._code_kernel(start, filter_index, channel, around)
                if holds:
                    last = start - self.channels * self.area if above[channel] else -1
                    self._code_elements(start, filter_index, channel, previous, last)
                    previous = start
                here[channel] = holds
                before_left, left = left, holds
            above = here

    def _code_kernel(self, start: int, filter_index: int, channel: int, around: int) -> int:
        holds = int(any(self.values[start : start + self.area]))
        features = (self.kernel_filter[filter_index], self.kernel_channel[channel], self.kernel_layer, around)
        return self.model.code(holds, self.plan.kernel_odds, features)

    def _code_elements(self, start: int, filter_index: int, channel: int, previous: int, above: int) -> None:
        values, code, area = self.values, self.model.code, self.area
        unit = (self.element_filter[filter_index], self.element_channel[channel])
        count = 0
        for position in range(area):
            at = start + position
            bit = int(values[at] != 0)
            if count == 0 and position == area - 1:
                bit = 1
            else:
                around = self._around(start, position, count)
                before = (previous >= 0 and values[previous + position] != 0) | (
                    above >= 0 and values[above + position] != 0
                ) << 1
                bit = code(
                    bit,
                    self.later if count else self.first[position],
                    (
                        *unit,
                        self.element_position[position],
                        self.shared_position[position],
                        self.element_around[around],
                        self.element_before[before | (count > 0) << 2],
                    ),
                )
            if bit:
                count += 1
                values[at] = self._code_value(values[at], filter_index)

    def _around(self, start: int, position: int, count: int) -> int:
        values = self.values
        if not count:
            return 0
        left = position % self.row > 0 and values[start + position - 1] != 0
        up = position % self.plane >= self.row and values[start + position - self.row] != 0
        back = position >= self.plane and values[start + position - self.plane] != 0
        return 1 + (left | up << 1 | back << 2) if count < 2 else 8 + (left | up << 1 | back << 2)

    def _code_value(self, value: int, filter_index: int) -> int:
        if not self.sizes:
            return 1
        negative = self.model.code(int(value < 0), 0.0, (self.model.named(("sign", self.sign), 0.05, _FLOOR),))
        self.sign = self.sign % 3 * 3 + 1 + negative
        size = self.size.code(abs(value), filter_index)
        return -size if negative else size


class _SizeCoder:
    """Sizes from 1 up: the number of binary digits in unary, then the digits, the highest three learned."""

    def __init__(self, model: LogisticModel) -> None:
        self.model = model
        self.layer: dict[tuple[int, int], int] = {}
        self.filters: dict[int, int] = {}

    def code(self, size: int, filter_index: int) -> int:
        digits = size.bit_length()
        length = 1
        while self._code_node(int(digits > length), (length, 0), filter_index):
            length += 1
        read = 1
        for place in range(length - 2, -1, -1):
            bit = size >> place & 1
            node = (length, read) if length - 2 - place < 3 else (length, -1)
            read = read << 1 | self._code_node(bit, node, -1)
        return read

    def _code_node(self, bit: int, node: tuple[int, int], filter_index: int) -> int:
        model = self.model
        layer = self.layer.get(node)
        if layer is None:
            layer = self.layer[node] = model.feature(0.2)
        shared = model.named(("size", node), 1.0, _FLOOR)
        if filter_index < 0:
            return model.code(bit, 0.0, (shared, layer))
        return model.code(bit, 0.0, (shared, layer, self._of_filter(filter_index)))

    def _of_filter(self, filter_index: int) -> int:
        feature = self.filters.get(filter_index)
        if feature is None:
            feature = self.filters[filter_index] = self.model.feature(0.1)
        return feature
