"""Accumulator widths: for any weights of a width, for the weights that are there, and for those on real pairs.

Source: the worst case is the usual ``b_a + b_w + ceil(log2 fan_in)``; the bound from the weights is that of Colbert et
al., A2Q, ICCV 2023, section 3: the largest sum is at most ``max|a| * sum|w|`` of a filter.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from disparsity.hwcost.codec.packed_network import FloatLayer, PackedLayer
from disparsity.hwcost.models.quantities import UNKNOWN, Column, Row, lone_row
from disparsity.hwcost.tracing.layer_call import LayerCall

Sums = Mapping[str, int]
"""By layer with integer weights: the largest sum of its weights' sizes that meets in one output."""

_A2Q = "Colbert et al., A2Q, ICCV 2023, section 3"
NOT_MEASURED = "not measured"


@dataclass(frozen=True, kw_only=True)
class AccumulatorsSection:
    """The widest accumulator of the integer layers: for any weights, for these, and for these on the measured pairs."""

    worst_case_bits: int | None
    weights_bits: int | None
    data_bits: int | None
    integer_layers: int | None
    float_layers: int | None

    def rows(self, *, measured: bool) -> list[Row]:
        """The three widths; `measured` says whether real pairs were run."""
        layers = UNKNOWN if self.integer_layers is None else f"{self.integer_layers:,}"
        group = f"accumulators, widest of {layers} integer layers"
        missing = UNKNOWN if measured else NOT_MEASURED
        return [
            lone_row(group, "any weights", "bit", self.worst_case_bits),
            lone_row(group, "these weights", "bit", self.weights_bits),
            lone_row(group, "these weights, on the pairs", "bit", self.data_bits if measured else None, missing),
        ]


@dataclass(frozen=True, kw_only=True)
class AccumulatorColumns:
    """Accumulator widths of one call; a part without weights has none."""

    accumulator_bits: Annotated[
        int | None,
        Column(
            title="worst case",
            unit="bit",
            formula="weight bits + activation bits + ceil(log2(fan-in)); 32 in floating point",
        ),
    ] = None
    accumulator_weights_bits: Annotated[
        int | None,
        Column(
            title="for these weights",
            unit="bit",
            formula="bits of max over filters Σ|weight| × largest code of the input's grid, and a sign",
            source=_A2Q,
        ),
    ] = None
    accumulator_data_bits: Annotated[
        int | None,
        Column(
            title="on the pairs",
            unit="bit",
            formula="bits of max over filters Σ|weight| × largest code seen in the measured pairs, and a sign",
            source=_A2Q,
        ),
    ] = None


def accumulators_section(calls: Sequence[LayerCall], sums: Sums, grid: Sums, seen: Sums) -> AccumulatorsSection:
    """The widest accumulator of the integer layers; None where there is none, or where nothing was measured.

    Args:
        calls: all of the network.
        sums: of the weights, by layer.
        grid: the largest code of every layer's input grid.
        seen: the largest code of every layer's input on real pairs.

    """
    weighted = [call for call in calls if call.weight_count]
    rows = [accumulator_columns(call, sums, grid, seen) for call in weighted if not call.is_float]
    return AccumulatorsSection(
        worst_case_bits=_widest([row.accumulator_bits for row in rows]),
        weights_bits=_widest([row.accumulator_weights_bits for row in rows]),
        data_bits=_widest([row.accumulator_data_bits for row in rows]),
        integer_layers=len({call.name for call in weighted if not call.is_float}),
        float_layers=len({call.name for call in weighted if call.is_float}),
    )


def accumulator_columns(call: LayerCall, sums: Sums, grid: Sums, seen: Sums) -> AccumulatorColumns:
    """The columns of a call; the arguments are those of `accumulators_section`."""
    return AccumulatorColumns(
        accumulator_bits=call.accumulator_bits if call.weight_count else None,
        accumulator_weights_bits=_bits(call.name, sums, grid),
        accumulator_data_bits=_bits(call.name, sums, seen),
    )


def largest_sums(calls: Sequence[LayerCall], layers: Sequence[PackedLayer | FloatLayer] | None) -> Sums:
    """The sums of every layer that has integer weights and integer inputs."""
    stored = {layer.name: layer for layer in layers or () if isinstance(layer, PackedLayer)}
    return {
        call.name: largest_sum(stored[call.name], call)
        for call in calls
        if call.call == 0 and not call.is_float and call.name in stored
    }


def largest_sum(layer: PackedLayer, call: LayerCall) -> int:
    """The sizes of the weights that meet in one output, added up, of the output where that is most.

    A transposed convolution with a stride uses in every output only the taps of one phase.
    """
    sizes = np.abs(layer.codes)
    if layer.output_axis == 0:
        return int(sizes.reshape(sizes.shape[0], -1).sum(axis=1).max(initial=0))
    filters = sizes.reshape(call.groups, -1, *sizes.shape[1:]).sum(axis=1)  # [groups, filters of a group, taps...]
    return max(
        int(filters[np.ix_(*map(range, filters.shape[:2]), *taps)].sum(axis=tuple(range(2, filters.ndim))).max())
        for taps in itertools.product(*map(_phases, call.kernel, call.stride, call.dilation))
    )


def sum_bits(total: int, largest: int) -> int:
    """Bits of the largest sum and its sign: of weights whose sizes add up to `total`, on codes up to `largest`."""
    return (total * largest).bit_length() + 1


def _phases(kernel: int, stride: int, dilation: int) -> list[list[int]]:
    """The taps of one axis, by the outputs that they reach together."""
    phases: dict[int, list[int]] = {}
    for tap in range(kernel):
        phases.setdefault(tap * dilation % stride, []).append(tap)
    return list(phases.values())


def _bits(name: str, sums: Sums, codes: Sums) -> int | None:
    return sum_bits(sums[name], codes[name]) if name in sums and name in codes else None


def _widest(bits: list[int | None]) -> int | None:
    """None where nothing is there, or where one layer is unknown."""
    known = [width for width in bits if width is not None]
    return max(known) if known and len(known) == len(bits) else None
