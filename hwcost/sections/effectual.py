"""Products that are worth doing, as counted on real pairs; nothing is known without them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from disparsity.hwcost.models.effectual_macs import EffectualMacs, network_total
from disparsity.hwcost.tracing.activation_statistics import Observation
from disparsity.hwcost.tracing.layer_call import LayerCall


def effectual_section(observation: Observation | None) -> dict[str, Any] | None:
    """Counts at the size that the pairs had, by which zeros are skipped, and their shares; None without pairs."""
    if observation is None:
        return None
    whole = network_total(dict(observation.macs))
    counts = {"by_weight": whole.by_weight, "by_activation": whole.by_activation, "by_both": whole.by_both}
    return {
        "data": observation.data,
        "pairs": observation.pairs,
        "size": list(observation.size),
        "cropped": observation.cropped,
        "dense_macs": whole.dense,
        "macs": counts,
        "share_percent": {name: _share(count, whole.dense) for name, count in counts.items()},
    }


def effectual_columns(call: LayerCall, measured: Mapping[tuple[str, int], EffectualMacs] | None) -> dict[str, Any]:
    """The layer table's columns, percentages of the dense products."""
    found = measured.get((call.name, call.call)) if measured and call.weight_count else None
    return {
        "activation_effectual_percent": _share(found.by_activation, found.dense) if found else None,
        "joint_effectual_percent": _share(found.by_both, found.dense) if found else None,
    }


def _share(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None
