"""`list`: every kind prints its names, one per line, each with what it stands for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from disparsity.registries import KINDS, summaries


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_prints_its_names(run_main: Callable[..., str], kind: str) -> None:
    lines = run_main("list", kind).splitlines()
    assert lines == [f"{name:<{max(16, *map(len, summaries(kind)))}} {text}" for name, text in summaries(kind).items()]


def test_the_kinds_of_the_interface_are_there() -> None:
    fixed = "recipes networks checkpoints scores scopes schedules patterns modes quantizers allocations teachers"
    assert {*fixed.split(), "profiles", "data"} <= set(KINDS)
