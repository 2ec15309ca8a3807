"""Activation memory: bytes that are alive at once."""

from __future__ import annotations

from dataclasses import dataclass

from disparsity.hwcost.models.quantities import Ends, Row, ends_row
from disparsity.hwcost.tracing.live_activations import ActivationPeak


@dataclass(frozen=True, kw_only=True)
class ActivationsSection:
    """The peak of both networks, and of the dense one the module and bytes of every tensor that is alive then."""

    peak_bytes: Ends
    alive_at_peak: tuple[tuple[str, int], ...] | None = None

    def rows(self) -> list[Row]:
        """The peak."""
        return [ends_row("activations", "peak live activations", "B", self.peak_bytes)]


def activations_section(dense: ActivationPeak | None, compressed: ActivationPeak | None) -> ActivationsSection:
    """The peaks as far as they are known."""
    peak = Ends(
        dense=dense.dense_bytes if dense else None, compressed=compressed.compressed_bytes if compressed else None
    )
    return ActivationsSection(peak_bytes=peak, alive_at_peak=dense.alive if dense else None)
