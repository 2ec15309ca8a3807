"""`list`: every kind prints the names of its registry, one per line, each with what it means."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from disparsity.cli.listing import _KINDS
from disparsity.finetune.modes import MODES
from disparsity.pruning.scores import SCORES
from disparsity.registries import CATALOGUE
from disparsity.stereo.networks import NETWORKS


@pytest.mark.parametrize("kind", _KINDS)
def test_every_kind_prints_its_names(run_main: Callable[..., str], kind: str) -> None:
    lines = run_main("list", kind).splitlines()
    assert lines
    assert len(lines) == len(list(CATALOGUE[kind]()))
    assert len(set(lines)) == len(lines)


def test_the_kinds_are_those_of_the_catalogue() -> None:
    assert list(CATALOGUE) == list(_KINDS)


@pytest.mark.parametrize(("kind", "registry"), [("networks", NETWORKS), ("scores", SCORES), ("modes", MODES)])
def test_the_names_come_first(run_main: Callable[..., str], kind: str, registry: dict[str, object]) -> None:
    assert [line.split()[0] for line in run_main("list", kind).splitlines()] == list(registry)
