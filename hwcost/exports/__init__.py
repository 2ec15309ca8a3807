"""The workload in the input formats of other cost tools, by name; each states how layers are lowered."""

from __future__ import annotations

from collections.abc import Callable

from disparsity.hwcost.exports import scalesim, timeloop, zigzag
from disparsity.hwcost.tracing.layer_call import Workload

EXPORTS: dict[str, Callable[[Workload], str]] = {
    "scalesim": scalesim.topology,
    "zigzag": zigzag.workload_yaml,
    "timeloop": timeloop.problems_yaml,
}
