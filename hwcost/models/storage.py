"""Storage: bytes of the weights in every format with indices, tables and scales, and of the packed file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from disparsity.hwcost.codec.packed_network import FloatLayer, PackedLayer, owner
from disparsity.hwcost.formats import FORMATS
from disparsity.hwcost.models.entropy import entropy_bits
from disparsity.hwcost.models.quantities import UNKNOWN, Column, Number, Reduction, Row, reduction
from disparsity.hwcost.tracing.layer_call import LayerCall, Workload

RANGE_CODER = "range_coder"
_FLOAT_BYTES = 4
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


@dataclass(frozen=True, kw_only=True)
class MemorySection:
    """Bytes of the weights.

    Attributes:
        dense_bytes: of the dense network in float32.
        values_bytes: of the compressed weights that are not zero, without any index.
        formats: of the compressed weights, by storage format.
        best_format: the one with the fewest bytes.
        entropy_bound_bytes: order-0 bound of positions and values, without tables and scales.
        packed_file_bytes: of the packed file, with everything that inference needs.
        reduction_percent: of the packed file beside the dense network.

    """

    dense_bytes: int | None
    values_bytes: Number | None
    formats: dict[str, int]
    best_format: str | None
    entropy_bound_bytes: Number | None
    packed_file_bytes: int | None
    reduction_percent: Reduction | None

    def rows(self) -> list[Row]:
        """What is stored, beside the dense network's bytes."""
        best = self.formats.get(self.best_format) if self.best_format else None
        stored = {
            "packed file": (self.packed_file_bytes, self.reduction_percent),
            f"best format ({self.best_format or UNKNOWN})": (best, None),
            "entropy bound": (self.entropy_bound_bytes, None),
            "values alone, no index": (self.values_bytes, None),
        }
        return [
            Row(group="memory", label=label, unit="B", before=self.dense_bytes, after=after, stated_percent=stated)
            for label, (after, stated) in stored.items()
        ]


@dataclass(frozen=True, kw_only=True)
class StorageColumns:
    """Bytes of one layer. A layer is stored once: with its first call; the others' columns are None."""

    bitmap_bytes: Annotated[
        int | None, Column(title="bitmap", unit="B", formula="(weights + non-zero × bits) / 8, scales included")
    ] = None
    coo_bytes: Annotated[
        int | None,
        Column(title="coordinates", unit="B", formula="non-zero × (bits + ceil(log2(weights))) / 8, scales included"),
    ] = None
    csr_bytes: Annotated[
        int | None,
        Column(
            title="CSR",
            unit="B",
            formula="(non-zero × (bits + ceil(log2 K)) + (Co + 1) × ceil(log2(non-zero + 1))) / 8, scales included",
        ),
    ] = None
    n_of_m_bytes: Annotated[
        int | None,
        Column(
            title="N:M",
            unit="B",
            formula="as encoded: blocks of M weights of which at most N are stored, with ceil(log2 M) bits of place "
            "each",
        ),
    ] = None
    run_length_bytes: Annotated[
        int | None,
        Column(
            title="run-length",
            unit="B",
            formula="entries × (bits + run bits) / 8: an entry per non-zero and one filler per overlong run, best run "
            "bits",
            source="Chen et al., Eyeriss, JSSC 2017",
        ),
    ] = None
    huffman_bytes: Annotated[
        int | None,
        Column(title="Huffman", unit="B", formula="as encoded: one code per value, zero included, and its table"),
    ] = None
    huffman_gap_bytes: Annotated[
        int | None,
        Column(
            title="Huffman, gaps",
            unit="B",
            formula="as encoded: one code per non-zero value and one per gap before it, and both tables",
            source="Han et al., Deep Compression, ICLR 2016",
        ),
    ] = None
    dense_bytes: Annotated[int | None, Column(title="dense", unit="B", formula="4 × weights (fp32)")] = None
    values_bytes: Annotated[
        Number | None,
        Column(title="values alone", unit="B", formula="non-zero × weight bits / 8, without any index"),
    ] = None
    entropy_bound_bytes: Annotated[
        Number | None,
        Column(
            title="entropy bound",
            unit="B",
            formula="(weights × h(density) + non-zero × H(value | non-zero)) / 8",
            source="Shannon 1948",
        ),
    ] = None
    best_format: Annotated[
        str | None, Column(title="best format", formula="the storage format with the fewest bytes for this layer")
    ] = None
    best_bytes: Annotated[
        int | None,
        Column(title="best", unit="B", formula="bytes in the best format: values, index, tables and scales"),
    ] = None


def dense_bytes(workload: Workload) -> int:
    """What the dense network stores in float32.

    All parameters (weights, biases, BatchNorm's scale and shift) and BatchNorm's means and variances, 4 bytes each.
    """
    return (workload.parameters + workload.buffers) * _FLOAT_BYTES


def memory_section(
    dense: Workload, storage: Mapping[str, LayerStorage], coded_bytes: int | None, packed: int | None
) -> MemorySection:
    """The dense network's bytes, and the compressed one's: by format, at best, and of its packed file.

    Args:
        dense: the dense network.
        storage: of every compressed layer.
        coded_bytes: of the weights in the range coder's stream.
        packed: bytes of the packed file.

    """
    formats: dict[str, int] = network_formats(storage.values())
    if coded_bytes is not None:
        formats[RANGE_CODER] = coded_bytes
    return MemorySection(
        dense_bytes=dense_bytes(dense),
        values_bytes=sum(layer.values_bytes for layer in storage.values()) if storage else None,
        formats=formats,
        best_format=min(formats, key=lambda name: formats[name]) if formats else None,
        entropy_bound_bytes=sum(layer.entropy_bound_bytes for layer in storage.values()) if storage else None,
        packed_file_bytes=packed,
        reduction_percent=reduction(dense_bytes(dense), packed),
    )


def storage_columns(call: LayerCall, storage: LayerStorage | None) -> StorageColumns:
    """The columns of a call."""
    whole = _FLOAT_BYTES * call.weight_count if call.weight_count and call.call == 0 else None
    if storage is None or call.call:
        return StorageColumns(dense_bytes=whole)
    return StorageColumns(
        **{f"{name}_bytes": size for name, size in storage.formats.items() if name != "dense"},
        dense_bytes=whole,
        values_bytes=storage.values_bytes,
        entropy_bound_bytes=storage.entropy_bound_bytes,
        best_format=storage.best_format,
        best_bytes=storage.formats[storage.best_format],
    )


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
    """``[output channels, input channels, taps]`` of a weight that counts its output channels on `axis`."""
    turned = np.moveaxis(weight, axis, 0)
    return turned.reshape(*turned.shape[:2], -1)
