"""Workload of a network as files for other cost tools."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from disparsity.base.atomic_io import write_text
from disparsity.cost import traced
from disparsity.export.format import Format
from disparsity.hwcost.exports import scalesim, timeloop, zigzag
from disparsity.hwcost.tracing.layer_call import Workload
from disparsity.quant.attach import layer_bits
from disparsity.stereo.network import StereoNetwork


def write_workload(
    render: Callable[[Workload], str], path: Path, network: StereoNetwork, size: tuple[int, int]
) -> None:
    """Write what `render` makes of the network's workload for images of this height and width."""
    write_text(path, render(traced(network, size, layer_bits(network)).workload))


SCALESIM = Format(write=functools.partial(write_workload, scalesim.topology))
ZIGZAG = Format(write=functools.partial(write_workload, zigzag.workload_yaml))
TIMELOOP = Format(write=functools.partial(write_workload, timeloop.problems_yaml))
