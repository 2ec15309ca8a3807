"""Weight coder: the weights of a network as one adaptive stream, first where they are not zero, then signs and sizes.

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

from disparsity.hwcost.codec.context_model import LogisticModel
from disparsity.hwcost.codec.scan_order import MOST_DIGITS, SIGN_STATES, SIZE_NODES, Layer, most_bits, walk_filter
from disparsity.hwcost.codec.side_information import LayerPlan, code_plan, plan_of

IntArray = npt.NDArray[np.int64]

_SHARED, _FLOOR, _SIZE_SPREAD = 0.1, 0.001, 0.1


def code_positions(model: LogisticModel, values: IntArray, shape: Sequence[int], *, sizes: bool) -> None:
    """Code the flat weights `values` of a layer ``[filters, channels, *kernel]`` in place.

    An encoder reads `values`; a decoder is given zeros and fills them. Without `sizes` only the zeros are
    coded and what is not zero is 1.
    """
    filters, channels = shape[0], shape[1]
    area = math.prod(shape[2:])
    if not sizes and _code_full(model, values):
        return
    live_filters, live_channels = _code_live(model, (values != 0).reshape(filters, channels, area))
    if not live_filters or not live_channels:
        return
    plan = code_plan(model, plan_of(values, live_filters, live_channels, channels, area), area)
    _walk(model, values, shape, plan, (live_filters, live_channels), sizes=sizes)


def _code_full(model: LogisticModel, values: IntArray) -> bool:
    """Whether nothing is zero, as in a layer that was never pruned: then nothing more has to be told."""
    if not model.code(int(values.all()), 0.0, (model.named("full", 2.0, 0.05),)):
        return False
    values[:] = 1
    return True


def _code_live(model: LogisticModel, nonzero: npt.NDArray[np.bool_]) -> tuple[list[int], list[int]]:
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


def _walk(
    model: LogisticModel,
    values: IntArray,
    shape: Sequence[int],
    plan: LayerPlan,
    live: tuple[list[int], list[int]],
    *,
    sizes: bool,
) -> None:
    """Code the live filters and channels; whatever a filter may add to the stream is reserved before."""
    kernel = tuple(shape[2:])
    area = math.prod(kernel)
    filters = _filter_features(model, plan, shape[0])
    first, later = plan.element_odds(area)
    layer = Layer(
        values=values.reshape(shape[0], shape[1], area),
        live_channels=np.array(live[1]),
        geometry=np.array([area, kernel[-1] if kernel else 1, math.prod(kernel[-2:])]),
        odds=np.array([plan.kernel_odds, later, *first]),
        blocks=np.array([block.start for block in _blocks(model, plan, shape[1], kernel)]),
        sign=np.zeros(1, np.int64),
        sizes=sizes,
    )
    above = np.zeros(shape[1], np.int64)
    for index in live[0]:
        model.coder.reserve(most_bits(layer.values[index]))
        own = np.array([block[index] for block in filters])
        above = walk_filter(model.table, (model.coder.state, model.coder.stream), layer, index, own, above)


def _filter_features(model: LogisticModel, plan: LayerPlan, filters: int) -> tuple[range, ...]:
    """One feature per filter: of kernels, of elements, of sizes."""
    return tuple(model.features(filters, spread) for spread in (plan.kernel_filter, plan.element_filter, _SIZE_SPREAD))


def _blocks(model: LogisticModel, plan: LayerPlan, channels: int, kernel: tuple[int, ...]) -> tuple[range, ...]:
    """The layer's other features, and those that all layers share, in the order that the walk expects."""
    area, sizes = math.prod(kernel), MOST_DIGITS * SIZE_NODES
    return (
        model.features(channels, plan.kernel_channel),
        model.features(channels, plan.element_channel),
        model.features(1, 0.01),
        model.features(area, plan.element_position),
        model.features(sizes, 0.2),
        model.block(("position", kernel), area, _SHARED, _FLOOR),
        model.block("kernel around", 8, _SHARED, _FLOOR),
        model.block("element around", 16, _SHARED, _FLOOR),
        model.block("element before", 8, _SHARED, _FLOOR),
        model.block("sign", SIGN_STATES, 0.05, _FLOOR),
        model.block("size", sizes, 1.0, _FLOOR),
    )
