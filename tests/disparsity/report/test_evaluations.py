"""Evaluations are read back by stage, and a damaged one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from disparsity.base.checksummed_json import write_checksummed
from disparsity.base.errors import CorruptArtefactError
from disparsity.report.evaluations import read_evaluations


def test_the_stages_in_order(finished: Path) -> None:
    found = read_evaluations(finished)
    assert list(found) == ["dense", "pruned", "quantized"]
    assert all(row.stage == stage for stage, content in found.items() for row in content.rows)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"rows": []}'])
def test_a_damaged_evaluation_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "evaluation").mkdir()
    (tmp_path / "evaluation" / "pruned.json").write_text(content)
    with pytest.raises(CorruptArtefactError, match=r"pruned\.json: not an evaluation"):
        read_evaluations(tmp_path)


def test_an_evaluation_without_its_fields_is_named(tmp_path: Path) -> None:
    write_checksummed(tmp_path / "evaluation" / "dense.json", {"rows": [{"data": "x"}], "seconds": 1.0})
    with pytest.raises(CorruptArtefactError, match=r"dense\.json: not an evaluation.*expected rows and seconds"):
        read_evaluations(tmp_path)
