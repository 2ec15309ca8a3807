"""Bytes of the stored weights, in every format and as packed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from disparsity.hwcost.codec.weight_bytes import WeightBytes
from disparsity.hwcost.formats import FORMATS
from disparsity.hwcost.models.storage import LayerStorage, network_formats
from disparsity.hwcost.sections.totals import reduction
from disparsity.hwcost.tracing.layer_call import LayerCall, Workload

RANGE_CODER = "range_coder"
_FLOAT_BYTES = 4


def dense_bytes(workload: Workload) -> int:
    """What the dense network stores in float32.

    All parameters (weights, biases, BatchNorm's scale and shift) and BatchNorm's means and variances, 4 bytes each.
    """
    return (workload.parameters + workload.buffers) * _FLOAT_BYTES


def memory_section(
    dense: Workload, storage: Mapping[str, LayerStorage], weight_bytes: WeightBytes | None, packed: int | None
) -> dict[str, Any]:
    """The dense network's bytes, and the compressed one's: by format, at best, and of its packed file."""
    before = dense_bytes(dense)
    formats: dict[str, int] = network_formats(storage.values())
    if weight_bytes is not None:
        formats[RANGE_CODER] = weight_bytes.total
    return {
        "dense_bytes": before,
        "values_bytes": sum(layer.values_bytes for layer in storage.values()) if storage else None,
        "formats": formats,
        "best_format": min(formats, key=lambda name: formats[name]) if formats else None,
        "entropy_bound_bytes": sum(layer.entropy_bound_bytes for layer in storage.values()) if storage else None,
        "packed_file_bytes": packed,
        "reduction_percent": reduction(before, packed),
    }


def storage_columns(call: LayerCall, storage: LayerStorage | None) -> dict[str, Any]:
    """The layer table's columns. A layer is stored once: with its first call. The others' columns are None."""
    stored = storage if call.call == 0 else None
    columns = {f"{name}_bytes": stored.formats[name] if stored else None for name in FORMATS if name != "dense"}
    return columns | {
        "dense_bytes": _FLOAT_BYTES * call.weight_count if call.weight_count and call.call == 0 else None,
        "values_bytes": stored.values_bytes if stored else None,
        "entropy_bound_bytes": stored.entropy_bound_bytes if stored else None,
        "best_format": stored.best_format if stored else None,
        "best_bytes": stored.formats[stored.best_format] if stored else None,
    }
