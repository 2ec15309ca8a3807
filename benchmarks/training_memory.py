"""What a training step keeps between forward and backward, by arithmetic on shapes, with and without `recompute_3d`.

    python benchmarks/training_memory.py           writes results/training_memory.md; a minute, no GPU

The networks run on the meta device, which has shapes and no values; every storage that autograd keeps is counted once,
weights aside. With `recompute_3d` one part at a time is kept whole while it is computed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from hardware.markdown import table
from provenance import provenance
from torch import Tensor, nn

from disparsity.base.atomic_io import write_text
from disparsity.finetune.recompute import recomputed_volumes, volume_parts
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.stereo.networks import build_network

RESULT = Path(__file__).parent / "results" / "training_memory.md"
NETWORKS = ("stereonet_8x", "psmnet_hourglass", "gwcnet_gc")
SIZES = ((256, 512), (544, 960))


@contextmanager
def counted(network: nn.Module) -> Iterator[Callable[[], int]]:
    """Bytes of what autograd has kept inside the block."""
    weights = {parameter.untyped_storage()._cdata for parameter in network.parameters()}
    kept: dict[int, Any] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in weights:
            kept[storage._cdata] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield lambda: sum(storage.nbytes() for storage in kept.values())


def kept_bytes(network: nn.Module, size: tuple[int, int]) -> int:
    """Of one pair, between forward and backward."""
    views = [torch.empty(1, 3, *size, device="meta")] * 2
    with counted(network) as total:
        maps = network(*views)
    del maps
    return total()


def largest_part_bytes(network: nn.Module, size: tuple[int, int]) -> int:
    """The most that one 3D part keeps."""
    found: list[int] = []

    def watched(part: nn.Module, *inputs: Any) -> Any:
        with counted(network) as total:
            result = type(part).forward(part, *inputs)
        found.append(total())
        return result

    for _, part in volume_parts(network):
        part.forward = partial(watched, part)
    network(*[torch.empty(1, 3, *size, device="meta")] * 2)
    return max(found)


def row(name: str, size: tuple[int, int]) -> tuple[str, ...]:
    """A line of the table."""
    with torch.device("meta"):
        network = build_network(name).train()
    whole = kept_bytes(network, size)
    with recomputed_volumes(network):
        less = kept_bytes(network, size)
    part = largest_part_bytes(network, size)
    views = (torch.zeros(1, 3, *size), torch.zeros(1, 3, *size))
    macs = trace_workload(build_network(name).eval(), views).dense_macs
    shown = (f"{value / 2**20:,.0f}" for value in (whole, less, part))
    return (name, f"{size[0]}x{size[1]}", *shown, f"{(less + part) / whole:.2f}", f"{macs / 1e9:,.1f}")


def main() -> None:
    """Count and write the page."""
    lines = [
        "# What a training step keeps",
        "",
        "Of one pair in float32, by arithmetic on shapes, weights aside. The ratio is that of what is kept with "
        "`recompute_3d`, its largest part while that is computed again included, to what is kept without.",
        "",
        *table(
            ("network", "crop", "kept, MB", "with recompute_3d, MB", "its largest part, MB", "ratio", "forward, GMAC"),
            [row(name, size) for name in NETWORKS for size in SIZES],
        ),
        "",
        *provenance("python benchmarks/training_memory.py"),
    ]
    write_text(RESULT, "\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
