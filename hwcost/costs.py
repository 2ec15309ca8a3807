"""Costs of a network: from traces and stored weights to the cost sections of a report. What is not known is None."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from disparsity.hwcost.codec.packed_network import FloatLayer, PackedLayer
from disparsity.hwcost.layer_table import LayerInputs, LayerRow, layer_rows
from disparsity.hwcost.models.accumulators import AccumulatorsSection, accumulators_section, largest_sums
from disparsity.hwcost.models.activations import ActivationsSection, activations_section
from disparsity.hwcost.models.coverage import CoverageSection, coverage_section
from disparsity.hwcost.models.cycles import LatencySection, latency_section
from disparsity.hwcost.models.effectual import EffectualSection, effectual_section
from disparsity.hwcost.models.energy import HardwareSection, hardware_section
from disparsity.hwcost.models.machine import Machine, MachineSection
from disparsity.hwcost.models.operations import OperationsSection, operations_section
from disparsity.hwcost.models.roofline import RooflineSection, roofline_section
from disparsity.hwcost.models.shift_and_add import MultipliersSection, multipliers_section, shift_add_counts
from disparsity.hwcost.models.sparse_execution import SparseExecutionSection, sparse_execution_section
from disparsity.hwcost.models.storage import MemorySection, memory_section, network_storage
from disparsity.hwcost.models.traffic import TrafficSection, moves, traffic_section
from disparsity.hwcost.tracing.activation_statistics import Observation
from disparsity.hwcost.tracing.layer_call import Workload
from disparsity.hwcost.tracing.live_activations import ActivationPeak


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Every section that costs have."""

    memory: MemorySection
    operations: OperationsSection
    hardware: HardwareSection
    latency: LatencySection
    machine: MachineSection
    traffic: TrafficSection
    roofline: RooflineSection
    sparse_execution: SparseExecutionSection
    effectual: EffectualSection | None
    accumulators: AccumulatorsSection
    multipliers: MultipliersSection
    activations: ActivationsSection
    coverage: CoverageSection
    layers: tuple[LayerRow, ...]


@dataclass(frozen=True, kw_only=True)
class Compressed:
    """The compressed network: its trace, and, as far as they are known, its weights, file and activations.

    Attributes:
        workload: the trace.
        layers: the weights as they are packed.
        packed_file_bytes: of the packed file.
        coded_bytes: of the weights in it.
        peak: of live activations.
        grid_codes: the largest code of every layer's input grid.
        observation: what real pairs showed.

    """

    workload: Workload
    layers: Sequence[PackedLayer | FloatLayer] | None = None
    packed_file_bytes: int | None = None
    coded_bytes: int | None = None
    peak: ActivationPeak | None = None
    grid_codes: Mapping[str, int] = field(default_factory=dict)
    observation: Observation | None = None


def network_costs(
    dense: Workload, compressed: Compressed, machine: Machine, dense_peak: ActivationPeak | None = None
) -> Costs:
    """The costs of a network beside those of its dense form.

    The dense network skips nothing: a weight of it that happens to be 0 is multiplied all the same.
    """
    dense = replace(dense, calls=tuple(replace(call, nnz=call.weight_count) for call in dense.calls))
    after = compressed.workload
    inputs = _layer_inputs(dense, compressed, machine)
    memory = memory_section(dense, inputs.storage, compressed.coded_bytes, compressed.packed_file_bytes)
    return Costs(
        memory=memory,
        operations=operations_section(dense, after),
        hardware=hardware_section(dense, after, memory, machine.profile),
        latency=latency_section(dense, after, machine.array, machine.dataflow),
        machine=machine.section(),
        traffic=traffic_section(inputs.dense, inputs.compressed, machine),
        roofline=roofline_section(inputs.dense, inputs.compressed, machine),
        sparse_execution=sparse_execution_section(after.calls, machine),
        effectual=effectual_section(compressed.observation),
        accumulators=accumulators_section(after.calls, inputs.sums, inputs.grid_codes, inputs.seen_codes),
        multipliers=multipliers_section(inputs.adders, after.calls),
        activations=activations_section(dense_peak, compressed.peak),
        coverage=coverage_section(dense),
        layers=layer_rows(inputs, machine),
    )


def _layer_inputs(dense: Workload, compressed: Compressed, machine: Machine) -> LayerInputs:
    """What sections and layer table share."""
    seen, layers = compressed.observation, compressed.layers
    return LayerInputs(
        dense=moves(dense, machine),
        compressed=moves(compressed.workload, machine),
        storage=network_storage(layers) if layers is not None else {},
        sums=largest_sums(compressed.workload.calls, layers),
        grid_codes=compressed.grid_codes,
        seen_codes=seen.largest_codes if seen else {},
        effectual=seen.macs if seen else {},
        adders=shift_add_counts(layers),
    )
