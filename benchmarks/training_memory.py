"""What a training step keeps between forward and backward, by arithmetic on shapes, with and without `recompute_3d`.

    python benchmarks/training_memory.py           a minute, no GPU

The networks run on the meta device, which has shapes and no values; every storage that autograd keeps is counted once,
weights aside. With `recompute_3d` one part at a time is kept whole while it is computed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from harness.benchmark import Benchmark, main
from harness.rows import Case, Row
from harness.tables import Table, listing
from torch import Tensor, nn

from disparsity.finetune.recompute import recomputed_volumes, volume_parts
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.stereo.networks import build_network

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


def _views(size: tuple[int, int]) -> list[Tensor]:
    return [torch.empty(1, 3, *size, device="meta")] * 2


def kept_bytes(network: nn.Module, size: tuple[int, int]) -> int:
    """Of one pair, between forward and backward."""
    with counted(network) as total:
        maps = network(*_views(size))
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
    network(*_views(size))
    return max(found)


def cases() -> Iterator[Case]:
    yield from ({"network": name, "size": list(size)} for name in NETWORKS for size in SIZES)


def measure(case: Case) -> dict[str, Any]:
    size = case["size"][0], case["size"][1]
    with torch.device("meta"):
        network = build_network(case["network"]).train()
    whole = kept_bytes(network, size)
    with recomputed_volumes(network):
        less = kept_bytes(network, size)
    part = largest_part_bytes(network, size)
    views = (torch.zeros(1, 3, *size), torch.zeros(1, 3, *size))
    macs = trace_workload(build_network(case["network"]).eval(), views).dense_macs
    return {
        "kept_mb": whole / 2**20,
        "recomputed_mb": less / 2**20,
        "largest_part_mb": part / 2**20,
        "ratio": (less + part) / whole,
        "forward_gmacs": macs / 1e9,
    }


def tables(rows: list[Row]) -> Iterator[Table]:
    figures = ("kept_mb", "recomputed_mb", "largest_part_mb", "ratio", "forward_gmacs")
    yield listing("kept", rows, ("network", "size"), figures)


BENCHMARK = Benchmark(
    name="training_memory",
    question="What does a training step keep between forward and backward",
    cases=cases,
    measure=measure,
    tables=tables,
)

if __name__ == "__main__":
    main(BENCHMARK)
