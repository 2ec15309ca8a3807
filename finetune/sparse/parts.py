"""Threads of the sparse kernels: as many as torch uses."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import torch


def in_parts(kernel: Callable[..., None], *arguments: Any) -> None:
    """Call ``kernel(part, parts, *arguments)`` for every part at once; the kernel must release Python's lock."""
    parts = torch.get_num_threads()
    if parts == 1:
        kernel(0, 1, *arguments)
        return
    others = [_pool(parts - 1).submit(kernel, part, parts, *arguments) for part in range(1, parts)]
    kernel(0, parts, *arguments)
    for other in others:
        other.result()


@cache
def _pool(workers: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(workers, thread_name_prefix="sparse-kernel")
