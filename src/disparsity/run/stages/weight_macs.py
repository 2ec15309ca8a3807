"""MACs per weight of each layer, by which scores may be divided."""

from __future__ import annotations

from collections.abc import Iterable

from disparsity.datasets.batches.stream import Batch
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.stereo.network import StereoNetwork


def macs_per_weight(network: StereoNetwork, layers: Iterable[str], batch: Batch) -> dict[str, float]:
    """MACs that one weight of each layer costs, relative to the layer where a weight costs most.

    Args:
        network: not changed.
        layers: names.
        batch: one pair, for its shape.

    """
    uses = dict.fromkeys(layers, 0)
    for call in trace_workload(network, (batch.left, batch.right)).calls:
        if call.name in uses:
            uses[call.name] += call.weight_uses
    most = max(uses.values())
    return {name: count / most for name, count in uses.items()}
