"""Determinism: leaving torch's deterministic mode while a network is only inspected."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def usual_operators() -> Iterator[None]:
    """The operators that a network runs outside of deterministic mode, which takes up-sampling apart, for a while.

    Setting the mode makes torch import its compiler, which takes seconds; so it is only set where it has to change.
    """
    if not torch.are_deterministic_algorithms_enabled():
        yield
        return
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(mode=False)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(mode=True, warn_only=warns)
