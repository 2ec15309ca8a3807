"""Progress bar on standard error, for what lasts longer than two seconds on a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from tqdm import tqdm

from disparsity.base.distributed import is_first

Item = TypeVar("Item")


def progress(items: Iterable[Item], label: str, total: int | None = None) -> tqdm[Item]:
    """Wrap `items` in a progress bar that appears after two seconds, only on a terminal and in one process of a run."""
    disable = None if is_first() else True
    return tqdm(items, desc=label, total=total, delay=2, disable=disable, leave=False, dynamic_ncols=True)
