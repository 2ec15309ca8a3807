"""Report of a network: every section of report.json, version 1, as dataclasses with units in their names.

A figure that is not known is None, never 0. New fields may be added; a change of meaning raises the version. Sections
and fields with a default are those that older reports lack.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from disparsity.cost import NetworkSection
from disparsity.evaluation.measured_latency import MeasuredLatency
from disparsity.hwcost.layer_table import LayerRow
from disparsity.hwcost.models.accumulators import AccumulatorsSection
from disparsity.hwcost.models.activations import ActivationsSection
from disparsity.hwcost.models.coverage import CoverageSection
from disparsity.hwcost.models.cycles import LatencySection
from disparsity.hwcost.models.effectual import EffectualSection
from disparsity.hwcost.models.energy import HardwareSection
from disparsity.hwcost.models.machine import MachineSection
from disparsity.hwcost.models.operations import OperationsSection
from disparsity.hwcost.models.roofline import RooflineSection
from disparsity.hwcost.models.shift_and_add import MultipliersSection
from disparsity.hwcost.models.sparse_execution import SparseExecutionSection
from disparsity.hwcost.models.storage import MemorySection
from disparsity.hwcost.models.traffic import TrafficSection
from disparsity.report.accuracy import AccuracyRow
from disparsity.report.settings import SettingsSection


@dataclass(frozen=True, kw_only=True)
class StageBytes:
    """Bytes of the network after the stages, as packed files would have them; the dense one's are those of float32."""

    dense: int | None = None
    pruned: int | None = None
    quantized: int | None = None


@dataclass(frozen=True, kw_only=True)
class RunMemorySection(MemorySection):
    """As `MemorySection`, and for a run the bytes after its stages."""

    stage_bytes: StageBytes | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that a report says; report.json, CSV, HTML, Markdown, the terminal's table and charts are views."""

    schema: Literal["disparsity.report"] = "disparsity.report"
    version: Literal[1] = 1
    network: NetworkSection
    accuracy: tuple[AccuracyRow, ...]
    memory: RunMemorySection
    operations: OperationsSection
    hardware: HardwareSection
    latency: LatencySection
    measured_latency: MeasuredLatency | None = None
    machine: MachineSection | None = None
    traffic: TrafficSection | None = None
    roofline: RooflineSection | None = None
    sparse_execution: SparseExecutionSection | None = None
    effectual: EffectualSection | None = None
    accumulators: AccumulatorsSection | None = None
    multipliers: MultipliersSection | None = None
    activations: ActivationsSection
    coverage: CoverageSection
    layers: tuple[LayerRow, ...]
    settings: SettingsSection


T = TypeVar("T")


def unknown(kind: type[T]) -> T:
    """A section, or a whole report, of which nothing is known: figures are None, lists empty, optional sections absent.

    What has only one value, such as the schema's name, keeps it.
    """
    hints = get_type_hints(kind)
    assert is_dataclass(kind)
    return kind(**{each.name: _nothing(hints[each.name]) for each in fields(kind)})


def _nothing(hint: Any) -> Any:
    """The empty value of a field's type."""
    if get_origin(hint) is Literal:
        return get_args(hint)[0]
    if get_origin(hint) in (Union, UnionType):
        return None
    if is_dataclass(hint):
        return unknown(hint)  # type: ignore[arg-type]
    return (get_origin(hint) or hint)()
