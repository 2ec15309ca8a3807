"""Effectual MACs on real pairs: products by which factor is zero, as sections, columns and rows of a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from disparsity.hwcost.models.accumulators import NOT_MEASURED
from disparsity.hwcost.models.effectual_macs import EffectualMacs, network_total
from disparsity.hwcost.models.quantities import Column, Number, Row, Size, lone_row
from disparsity.hwcost.tracing.activation_statistics import Observation
from disparsity.hwcost.tracing.layer_call import LayerCall


@dataclass(frozen=True, kw_only=True)
class NonZero:
    """A figure of the products by which factor is not zero."""

    by_weight: Number | None
    by_activation: Number | None
    by_both: Number | None


@dataclass(frozen=True, kw_only=True)
class EffectualSection:
    """Products whose factors are not zero, counted on real pairs at the size that they had."""

    data: str | None
    pairs: int | None
    size: Size | None
    cropped: bool | None
    dense_macs: int | None
    macs: NonZero
    share_percent: NonZero

    def rows(self) -> list[Row]:
        """The counts beside all products."""
        size = "×".join(map(str, self.size or ()))
        group = f"products on real pairs ({self.pairs} at {size}{', cropped' if self.cropped else ''})"
        counts = {
            "weight not 0": self.macs.by_weight,
            "activation not 0": self.macs.by_activation,
            "both not 0": self.macs.by_both,
        }
        return [
            Row(group=group, label=label, unit="count", before=self.dense_macs, after=after)
            for label, after in counts.items()
        ]


@dataclass(frozen=True, kw_only=True)
class EffectualColumns:
    """Percentages of one call's dense products."""

    activation_effectual_percent: Annotated[
        Number | None,
        Column(
            title="activation not 0",
            unit="% of MACs",
            formula="100 × products whose activation is not zero / dense MACs, counted on the measured pairs",
        ),
    ] = None
    joint_effectual_percent: Annotated[
        Number | None,
        Column(
            title="both not 0",
            unit="% of MACs",
            formula="100 × products whose weight and activation are not zero / dense MACs, counted jointly on the "
            "pairs",
        ),
    ] = None


def effectual_rows(section: EffectualSection | None) -> list[Row]:
    """The section's rows, or one that says that nothing was measured."""
    if section is None or section.dense_macs is None:
        return [lone_row("products on real pairs", "by zeros of activations", "count", None, NOT_MEASURED)]
    return section.rows()


def effectual_section(observation: Observation | None) -> EffectualSection | None:
    """Counts and their percentages of all products; None without pairs."""
    if observation is None:
        return None
    whole = network_total(dict(observation.macs))
    counts = {"by_weight": whole.by_weight, "by_activation": whole.by_activation, "by_both": whole.by_both}
    return EffectualSection(
        data=observation.data,
        pairs=observation.pairs,
        size=observation.size,
        cropped=observation.cropped,
        dense_macs=whole.dense,
        macs=NonZero(**counts),
        share_percent=NonZero(**{name: _percent(count, whole.dense) for name, count in counts.items()}),
    )


def effectual_columns(call: LayerCall, measured: Mapping[tuple[str, int], EffectualMacs]) -> EffectualColumns:
    """The columns of a call with weights that was measured."""
    found = measured.get((call.name, call.call)) if call.weight_count else None
    if found is None:
        return EffectualColumns()
    return EffectualColumns(
        activation_effectual_percent=_percent(found.by_activation, found.dense),
        joint_effectual_percent=_percent(found.by_both, found.dense),
    )


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None
