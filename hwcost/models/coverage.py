"""Coverage: the percentage of a network's work that the models include, and the names of what they exclude."""

from __future__ import annotations

from dataclasses import dataclass

from disparsity.hwcost.models.quantities import Percent
from disparsity.hwcost.tracing.layer_call import Workload


@dataclass(frozen=True, kw_only=True)
class CoverageSection:
    """Percentages of the dense network's MACs and of the bytes that it moves, and what is not modelled."""

    macs_modelled_percent: Percent | None
    bytes_modelled_percent: Percent | None = None
    unmodelled: tuple[str, ...]


def coverage_section(dense: Workload) -> CoverageSection:
    """What the trace of the dense network holds of all that it counted."""
    products = dense.counted_macs + dense.unknown_macs
    macs = 100 * min(1.0, dense.dense_macs / products) if products else None
    moved = 100 * dense.modelled_bytes / dense.counted_bytes if dense.counted_bytes else None
    return CoverageSection(macs_modelled_percent=macs, bytes_modelled_percent=moved, unmodelled=tuple(dense.unmodelled))
