"""`disparsity doctor` as a user sees it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from disparsity.cli import main


def test_everything_in_order(run_main: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DISPARSITY_DATA", raising=False)
    lines = run_main("doctor", "--json", tmp_path / "doctor.json").splitlines()
    findings = json.loads((tmp_path / "doctor.json").read_text())["findings"]
    assert len(lines) == len(findings)
    assert all(line.startswith(finding["name"]) for line, finding in zip(lines, findings, strict=True))
    assert not any(finding["remedy"] for finding in findings)


def test_something_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("DISPARSITY_DATA", str(tmp_path / "gone"))
    assert main(["doctor"]) == 2
    assert "-> set DISPARSITY_DATA" in capsys.readouterr().out
