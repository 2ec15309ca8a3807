"""From traces and stored weights to the cost sections of report.json, version 1. What is not known is None."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from disparsity.hwcost.activations import ActivationPeak
from disparsity.hwcost.energy import mac_area_um2, mac_energy_pj, memory_energy_pj
from disparsity.hwcost.formats import FORMATS
from disparsity.hwcost.layer_call import LayerCall, Workload
from disparsity.hwcost.operations import BOPS, REDUCTION_DEFINITION, mac_product, total_bops
from disparsity.hwcost.packed_network import FloatLayer, PackedLayer
from disparsity.hwcost.packing import WeightBytes
from disparsity.hwcost.storage import LayerStorage, network_formats, network_storage
from disparsity.hwcost.systolic import cycles, network_latency
from disparsity.hwcost.technology import Profile

_FLOAT_BYTES = 4
RANGE_CODER = "range_coder"


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What the figures are computed for: a technology, and a systolic array ``(rows, columns)`` with a dataflow."""

    profile: Profile
    array: tuple[int, int] = (16, 16)
    dataflow: str = "ws"


@dataclass(frozen=True, kw_only=True)
class Compressed:
    """The compressed network: its trace, and, as far as they are known, its weights, file and activations.

    `weight_bytes` is what packing measured of each layer.
    """

    workload: Workload
    layers: Sequence[PackedLayer | FloatLayer] | None = None
    packed_file_bytes: int | None = None
    weight_bytes: WeightBytes | None = None
    peak: ActivationPeak | None = None


def summarise(
    dense: Workload, compressed: Compressed, machine: Machine, dense_peak: ActivationPeak | None = None
) -> dict[str, Any]:
    """The sections memory, operations, hardware, latency, activations, coverage and layers.

    The dense network skips nothing: a weight of it that happens to be 0 is multiplied all the same.

    Raises:
        InputError: an unknown dataflow or an empty array.

    """
    dense = replace(dense, calls=tuple(replace(call, nnz=call.weight_count) for call in dense.calls))
    storage = network_storage(compressed.layers) if compressed.layers is not None else {}
    memory = _memory(dense, compressed, storage)
    return {
        "memory": memory,
        "operations": _operations(dense, compressed.workload),
        "hardware": _hardware(dense, compressed.workload, memory, machine.profile),
        "latency": _latency(dense, compressed.workload, machine),
        "activations": {
            "peak_bytes": {
                "dense": dense_peak.dense_bytes if dense_peak else None,
                "compressed": compressed.peak.compressed_bytes if compressed.peak else None,
            },
            "alive_at_peak": [list(entry) for entry in dense_peak.alive] if dense_peak else None,
        },
        "coverage": _coverage(dense),
        "layers": [_layer_row(call, storage.get(call.name), machine) for call in compressed.workload.calls],
    }


def dense_bytes(workload: Workload) -> int:
    """What the dense network stores in float32.

    All parameters (weights, biases, BatchNorm's scale and shift) and BatchNorm's means and variances, 4 bytes each.
    """
    return (workload.parameters + workload.buffers) * _FLOAT_BYTES


def _memory(dense: Workload, compressed: Compressed, storage: dict[str, LayerStorage]) -> dict[str, Any]:
    total, packed = dense_bytes(dense), compressed.packed_file_bytes
    formats: dict[str, int] = network_formats(storage.values())
    if compressed.weight_bytes is not None:
        formats[RANGE_CODER] = compressed.weight_bytes.total
    return {
        "dense_bytes": total,
        "values_bytes": sum(layer.values_bytes for layer in storage.values()) if storage else None,
        "formats": formats,
        "best_format": min(formats, key=lambda name: formats[name]) if formats else None,
        "entropy_bound_bytes": sum(layer.entropy_bound_bytes for layer in storage.values()) if storage else None,
        "packed_file_bytes": packed,
        "reduction_percent": _reduction(total, packed),
    }


def _operations(dense: Workload, compressed: Workload) -> dict[str, Any]:
    before, after = total_bops(dense.calls), total_bops(compressed.calls)
    return {
        "dense_macs": dense.dense_macs,
        "effectual_macs": compressed.effectual_macs,
        "bops": {name: {"dense": before[name], "compressed": after[name]} for name in BOPS},
        "reduction_percent": {
            "macs": _reduction(dense.dense_macs, compressed.effectual_macs),
            "bops": _reduction(before[REDUCTION_DEFINITION], after[REDUCTION_DEFINITION]),
        },
    }


def _hardware(dense: Workload, compressed: Workload, memory: dict[str, Any], profile: Profile) -> dict[str, Any]:
    """The stored weights of the compressed network are its packed file, or its best format when there is none."""
    formats = memory["formats"]
    stored = memory["packed_file_bytes"] or (min(formats.values()) if formats else None)
    energy = {"dense": mac_energy_pj(dense.calls, profile), "compressed": mac_energy_pj(compressed.calls, profile)}
    area = {"dense": mac_area_um2(dense.calls, profile), "compressed": mac_area_um2(compressed.calls, profile)}
    moved = {
        "dense": memory_energy_pj(dense.calls, memory["dense_bytes"], profile),
        "compressed": None if stored is None else memory_energy_pj(compressed.calls, stored, profile),
    }
    totals = {end: None if moved[end] is None else energy[end] + (moved[end] or 0.0) for end in moved}
    return {
        "profile": profile.name,
        "profile_source": profile.source,
        "mac_energy_pj": energy,
        "mac_area_um2": area,
        "memory_energy_pj": moved,
        "reduction_percent": {
            "mac_energy": _reduction(energy["dense"], energy["compressed"]),
            "mac_area": _reduction(area["dense"], area["compressed"]),
            "total_energy": _reduction(totals["dense"], totals["compressed"]),
        },
    }


def _latency(dense: Workload, compressed: Workload, machine: Machine) -> dict[str, Any]:
    before = network_latency(dense.calls, machine.array, machine.dataflow)
    after = network_latency(compressed.calls, machine.array, machine.dataflow)
    return {
        "array": list(machine.array),
        "dataflow": machine.dataflow,
        "cycles": {"dense": before.cycles, "compressed": after.cycles},
        "utilization": after.utilization,
    }


def _coverage(dense: Workload) -> dict[str, Any]:
    percent = 100 * min(1.0, dense.dense_macs / dense.counted_macs) if dense.counted_macs else None
    moved = 100 * dense.modelled_bytes / dense.counted_bytes if dense.counted_bytes else None
    return {
        "macs_modelled_percent": percent,
        "bytes_modelled_percent": moved,
        "unmodelled": list(dense.unmodelled),
    }


def _layer_row(call: LayerCall, storage: LayerStorage | None, machine: Machine) -> dict[str, Any]:
    record = asdict(call)
    del record["nnz_per_filter"]
    row = {name: list(value) if isinstance(value, tuple) else value for name, value in record.items()}
    row |= {
        "output_elements": call.output_elements,
        "sparsity_percent": 100 * (1 - call.nnz / call.weight_count) if call.weight_count else None,
        "accumulator_bits": call.accumulator_bits if call.weight_count else None,
        "dense_macs": call.dense_macs,
        "effectual_macs": call.effectual_macs,
        "bops": mac_product(call),
        "mac_energy_pj": mac_energy_pj([call], machine.profile),
        "mac_area_um2": mac_area_um2([call], machine.profile),
        "cycles": cycles(call, machine.array, machine.dataflow) if call.weight_count else None,
        "utilization": network_latency([call], machine.array, machine.dataflow).utilization
        if call.weight_count
        else None,
    }
    return row | _storage_columns(call, storage)


def _storage_columns(call: LayerCall, storage: LayerStorage | None) -> dict[str, Any]:
    """A layer is stored once: with its first call. The others' columns are None."""
    stored = storage if call.call == 0 else None
    columns = {f"{name}_bytes": stored.formats[name] if stored else None for name in FORMATS if name != "dense"}
    return columns | {
        "dense_bytes": _FLOAT_BYTES * call.weight_count if call.weight_count and call.call == 0 else None,
        "values_bytes": stored.values_bytes if stored else None,
        "entropy_bound_bytes": stored.entropy_bound_bytes if stored else None,
        "best_format": stored.best_format if stored else None,
        "best_bytes": stored.formats[stored.best_format] if stored else None,
    }


def _reduction(before: float | None, after: float | None) -> float | None:
    """Percent saved; None when either is unknown or there was nothing to save."""
    return 100 * (1 - after / before) if before and after is not None else None
