"""State tables: where weights lie in a file, and the prefixes in front of their names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from disparsity.base.errors import InputError
from disparsity.stereo.networks.state_tables import PREFIXES, TABLES, find_table, fit_names

TENSORS = {"a.weight": torch.ones(2), "a.bias": torch.zeros(1), "model.b": torch.ones(3)}
WHERE = Path("file.pth")


@pytest.mark.parametrize("name", TABLES)
def test_every_usual_table_is_found_beside_other_entries(name: str) -> None:
    content = {"epoch": 3, "optimizer": {"state": {}}, name: TENSORS}
    assert find_table(content, WHERE) == TENSORS
    assert find_table({name: {**content}}, WHERE) == TENSORS


@pytest.mark.parametrize(
    "content", [{}, {"epoch": 1}, [1], torch.zeros(1), {"state_dict": {"a": 1}}, {3: torch.ones(1)}]
)
def test_what_is_there_is_named(content: Any) -> None:
    with pytest.raises(InputError, match=r"file\.pth: no table of tensors in this file; found ") as caught:
        find_table(content, WHERE)
    if isinstance(content, dict) and content:
        assert str(next(iter(content))) in str(caught.value) or "a (int)" in str(caught.value)


@pytest.mark.parametrize("prefix", [*PREFIXES, "_orig_mod.module.", "module.model.net."])
def test_prefixes_are_removed_and_said(prefix: str, capsys: pytest.CaptureFixture[str]) -> None:
    table = {prefix + name: value for name, value in TENSORS.items()}
    assert fit_names(table, TENSORS.keys(), WHERE) == TENSORS
    assert capsys.readouterr().err == f"disparsity: file.pth: names are read without '{prefix}'\n"


def test_names_that_fit_are_kept_in_silence(capsys: pytest.CaptureFixture[str]) -> None:
    assert fit_names(TENSORS, TENSORS.keys(), WHERE) == TENSORS
    assert capsys.readouterr().err == ""


def test_tensors_outside_of_the_prefix_are_left_out_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    table = {f"model.{name}": value for name, value in TENSORS.items()} | {"loss.scale": torch.ones(1)}
    assert fit_names(table, TENSORS.keys(), WHERE) == TENSORS
    assert "without 'model.'; 1 tensors with other names are left out" in capsys.readouterr().err


def test_another_networks_names_stay_as_they_are() -> None:
    other = {"module.x": torch.ones(1)}
    assert fit_names(other, TENSORS.keys(), WHERE) == other
