"""Process group of a run, each process with its part of every batch; in a single process nothing is exchanged.

All processes hold the same weights and take the same steps. Whatever differs between their parts (gradients, pixel
counts, BatchNorm statistics, figures of images, signals) is exchanged here, so that the result is that of one process
with the whole batch, up to the order of sums. Every function must be called by all processes, in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor

from disparsity.base.errors import LostProcessError


def processes() -> int:
    """How many processes share the run."""
    return dist.get_world_size() if _together() else 1


def rank() -> int:
    """The number of this process, from 0."""
    return dist.get_rank() if _together() else 0


def is_first() -> bool:
    """Whether this process is the one that writes files and prints."""
    return rank() == 0


def average(tensors: Sequence[Tensor]) -> None:
    """Replace every tensor by its mean over the processes, in place, in one message per type and device.

    Raises:
        LostProcessError: another process has ended.

    """
    if not _together():
        return
    for kind in dict.fromkeys((tensor.dtype, tensor.device) for tensor in tensors):
        alike = [tensor for tensor in tensors if (tensor.dtype, tensor.device) == kind]
        message = torch.cat([tensor.detach().flatten() for tensor in alike])
        _sum(message)
        parts = torch.split(message.div_(processes()), [tensor.numel() for tensor in alike])
        for tensor, part in zip(alike, parts, strict=True):
            tensor.detach().copy_(part.view(tensor.shape))


def mean_count(count: Tensor) -> Tensor:
    """The mean of a count (a scalar) over the processes.

    A part's sum divided by it, averaged over the processes, is the mean over all parts.
    """
    if not _together():
        return count
    shared = count.detach().to(torch.float64)
    _sum(shared)
    return (shared / processes()).float()


def total(values: Tensor) -> Tensor:
    """The sum over the processes; exact where all but one hold zeros, or where it is of integers."""
    if _together():
        values = values.clone()
        _sum(values)
    return values


def any_true(answer: bool) -> bool:
    """Whether the answer of any process is yes."""
    return bool(total(torch.tensor(int(answer))) > 0)


def from_rank0(answer: bool) -> bool:
    """The answer of the first process."""
    return any_true(answer and is_first())


@contextmanager
def initialized_group(init_method: str, number: int, count: int, backend: str = "gloo") -> Iterator[None]:
    """Share a run with `count - 1` other processes inside the block.

    Args:
        init_method: how they find each other, as in ``torch.distributed.init_process_group``.
        number: of this process, 0 to `count` - 1.
        count: how many there are.
        backend: of the communication, `gloo` or `nccl`.

    """
    dist.init_process_group(backend, init_method=init_method, rank=number, world_size=count)
    try:
        yield
    finally:
        dist.destroy_process_group()


def _together() -> bool:
    return dist.is_available() and dist.is_initialized()


def _sum(tensor: Tensor) -> None:
    try:
        dist.all_reduce(tensor)
    except RuntimeError as error:
        raise LostProcessError(
            "another process of this run has ended",
            found=str(error).partition("\n")[0][:120],
            remedy="its own message says why; run the same command again to resume from the last checkpoint",
        ) from error
