"""What the doctor finds on machines made for the test."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from disparsity.base.doctor import FOLDERS, Finding, examine


def found(name: str, findings: list[Finding]) -> Finding:
    (finding,) = [each for each in findings if each.name == name]
    return finding


def test_this_machine_is_in_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DISPARSITY_DATA", raising=False)
    findings = examine()
    assert [finding.name for finding in findings if finding.remedy] == []
    assert found("torch", findings).found == version("torch")
    assert "not set" in found("real data", findings).found


def test_text_files_where_links_should_be(tmp_path: Path) -> None:
    for name in FOLDERS:
        (tmp_path / name).mkdir()
    assert found("folders", examine(package=tmp_path)).found == "installed copies"
    (tmp_path / "stereo").rmdir()
    (tmp_path / "stereo").write_text("../../stereo")
    finding = found("folders", examine(package=tmp_path))
    assert finding.found == "no folder: stereo"
    assert "core.symlinks=true" in (finding.remedy or "")


def test_data_that_is_there_and_data_that_is_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("DISPARSITY_DATA", str(tmp_path))
    assert found("real data", examine()) == Finding(name="real data", found=f"{tmp_path} with data")
    monkeypatch.setenv("DISPARSITY_DATA", str(tmp_path / "gone"))
    assert "DISPARSITY_DATA" in (found("real data", examine()).remedy or "")


def test_a_folder_that_may_not_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert "not writable" in found("disk", examine()).found
