"""From traces and stored weights to the cost sections of report.json, version 1. What is not known is None."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from disparsity.hwcost.codec.packed_network import FloatLayer, PackedLayer
from disparsity.hwcost.codec.weight_bytes import WeightBytes
from disparsity.hwcost.models.machine import Machine
from disparsity.hwcost.models.storage import network_storage
from disparsity.hwcost.sections.accumulators import accumulators_section, largest_sums
from disparsity.hwcost.sections.arithmetic import hardware_section, latency_section, operations_section
from disparsity.hwcost.sections.effectual import effectual_section
from disparsity.hwcost.sections.layers import LayerFacts, layer_rows
from disparsity.hwcost.sections.memory import memory_section
from disparsity.hwcost.sections.multipliers import multipliers_section, shift_add_counts
from disparsity.hwcost.sections.roofline import roofline_section
from disparsity.hwcost.sections.sparse_execution import sparse_execution_section
from disparsity.hwcost.sections.traffic import moves, traffic_section
from disparsity.hwcost.tracing.activation_statistics import Observation
from disparsity.hwcost.tracing.layer_call import Workload
from disparsity.hwcost.tracing.live_activations import ActivationPeak


@dataclass(frozen=True, kw_only=True)
class Compressed:
    """The compressed network: its trace, and, as far as they are known, its weights, file and activations.

    `weight_bytes` is what packing measured of each layer, `grid_codes` the largest code of every layer's input grid,
    `observation` what real pairs showed.
    """

    workload: Workload
    layers: Sequence[PackedLayer | FloatLayer] | None = None
    packed_file_bytes: int | None = None
    weight_bytes: WeightBytes | None = None
    peak: ActivationPeak | None = None
    grid_codes: Mapping[str, int] = field(default_factory=dict)
    observation: Observation | None = None


def summarise(
    dense: Workload, compressed: Compressed, machine: Machine, dense_peak: ActivationPeak | None = None
) -> dict[str, Any]:
    """Every section that costs have.

    The dense network skips nothing: a weight of it that happens to be 0 is multiplied all the same.
    """
    dense = replace(dense, calls=tuple(replace(call, nnz=call.weight_count) for call in dense.calls))
    after = compressed.workload
    facts = _facts(dense, compressed, machine)
    memory = memory_section(dense, facts.storage, compressed.weight_bytes, compressed.packed_file_bytes)
    return {
        "memory": memory,
        "operations": operations_section(dense, after),
        "hardware": hardware_section(dense, after, memory, machine.profile),
        "latency": latency_section(dense, after, machine),
        "machine": machine.settings(),
        "traffic": traffic_section(facts.dense, facts.compressed, machine),
        "roofline": roofline_section(facts.dense, facts.compressed, machine),
        "sparse_execution": sparse_execution_section(after.calls, machine),
        "effectual": effectual_section(compressed.observation),
        "accumulators": accumulators_section(after.calls, facts.sums, facts.grid_codes, facts.seen_codes),
        "multipliers": multipliers_section(facts.adders, after.calls),
        "activations": _activations(dense_peak, compressed.peak),
        "coverage": _coverage(dense),
        "layers": layer_rows(facts, machine),
    }


def _facts(dense: Workload, compressed: Compressed, machine: Machine) -> LayerFacts:
    """What is worked out once, for the sections and the layer table alike."""
    seen = compressed.observation
    calls, layers = compressed.workload.calls, compressed.layers
    return LayerFacts(
        dense=moves(dense, machine),
        compressed=moves(compressed.workload, machine),
        storage=network_storage(layers) if layers is not None else {},
        sums=largest_sums(calls, layers),
        grid_codes=compressed.grid_codes,
        seen_codes=seen.largest_codes if seen else {},
        effectual=seen.macs if seen else {},
        adders=shift_add_counts(layers),
    )


def _activations(dense: ActivationPeak | None, compressed: ActivationPeak | None) -> dict[str, Any]:
    return {
        "peak_bytes": {
            "dense": dense.dense_bytes if dense else None,
            "compressed": compressed.compressed_bytes if compressed else None,
        },
        "alive_at_peak": [list(entry) for entry in dense.alive] if dense else None,
    }


def _coverage(dense: Workload) -> dict[str, Any]:
    macs = dense.counted_macs + dense.unknown_macs
    percent = 100 * min(1.0, dense.dense_macs / macs) if macs else None
    moved = 100 * dense.modelled_bytes / dense.counted_bytes if dense.counted_bytes else None
    return {
        "macs_modelled_percent": percent,
        "bytes_modelled_percent": moved,
        "unmodelled": list(dense.unmodelled),
    }
