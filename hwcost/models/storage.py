"""Bytes of every layer's weights in every storage format, with indices, tables and scales."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from disparsity.hwcost.codec.packed_network import FloatLayer, PackedLayer, owner
from disparsity.hwcost.formats import FORMATS
from disparsity.hwcost.models.entropy import entropy_bits

_SCALE_BYTES = 2
_FLOAT_BITS = 32
_MASK_BITS = 2
_TABLE_FORMATS = ("huffman", "huffman_gap")


@dataclass(frozen=True, kw_only=True)
class LayerStorage:
    """Bytes of one layer.

    Attributes:
        name: of the layer.
        values_bytes: non-zero weights times their bits, without any index: the optimistic figure.
        entropy_bound_bytes: order-0 bound of positions and values, without tables and scales.
        formats: by name, as encoded: values, index, tables, and 2 bytes for every scale.

    """

    name: str
    values_bytes: float
    entropy_bound_bytes: float
    formats: dict[str, int]

    @property
    def best_format(self) -> str:
        """The format with the fewest bytes."""
        return min(self.formats, key=lambda name: self.formats[name])


def layer_storage(layer: PackedLayer | FloatLayer) -> LayerStorage:
    """The bytes of a layer in every format, equal to what its encoder writes.

    Float values are stored whole; a table of floats would hold every weight once, so that in the Huffman formats
    only their positions are coded.
    """
    if isinstance(layer, PackedLayer):
        return _integer_storage(layer)
    return _float_storage(layer.name, weight_rows(layer.values, layer.output_axis))


def network_formats(layers: Iterable[LayerStorage]) -> dict[str, int]:
    """Bytes of all layers by format."""
    layers = list(layers)
    return {name: sum(layer.formats[name] for layer in layers) for name in FORMATS} if layers else {}


def network_storage(layers: Sequence[PackedLayer | FloatLayer]) -> dict[str, LayerStorage]:
    """The storage of every layer by name; of a weight in factors, of both together."""
    found: dict[str, LayerStorage] = {}
    for layer in layers:
        name, stored = owner(layer.name), layer_storage(layer)
        found[name] = _together(found[name], stored) if name in found else stored
    return found


def _together(one: LayerStorage, other: LayerStorage) -> LayerStorage:
    return LayerStorage(
        name=owner(one.name),
        values_bytes=one.values_bytes + other.values_bytes,
        entropy_bound_bytes=one.entropy_bound_bytes + other.entropy_bound_bytes,
        formats={kind: size + other.formats[kind] for kind, size in one.formats.items()},
    )


def _integer_storage(layer: PackedLayer) -> LayerStorage:
    ranks = weight_rows(layer.levels.ranks(layer.codes), layer.output_axis)
    scales = _SCALE_BYTES * -(-ranks.shape[0] // layer.group)
    return LayerStorage(
        name=layer.name,
        values_bytes=int(np.count_nonzero(ranks)) * layer.bits / 8,
        entropy_bound_bytes=entropy_bits(ranks) / 8,
        formats={kind: each.size(ranks, each.width(ranks, layer.bits)) + scales for kind, each in FORMATS.items()},
    )


def _float_storage(name: str, values: np.ndarray) -> LayerStorage:
    mask = (values != 0).astype(np.int64)
    whole = np.where(mask, np.ascontiguousarray(values, np.float32).view(np.int32), 0).astype(np.int64)
    held = int(mask.sum()) * _FLOAT_BITS / 8
    formats = {}
    for kind, each in FORMATS.items():
        if kind in _TABLE_FORMATS:
            formats[kind] = each.size(mask, _MASK_BITS) + int(held)
        else:
            formats[kind] = each.size(whole, _FLOAT_BITS)
    return LayerStorage(
        name=name, values_bytes=held, entropy_bound_bytes=entropy_bits(mask) / 8 + held, formats=formats
    )


def weight_rows(weight: np.ndarray, axis: int) -> np.ndarray:
    """``[output channels, the rest]`` of a weight that counts its output channels on `axis`."""
    turned = np.moveaxis(weight, axis, 0)
    return turned.reshape(turned.shape[0], -1)
