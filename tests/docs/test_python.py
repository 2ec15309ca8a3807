"""The page "Python": its snippets run one after the other, with a demo of hardly any steps."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "python.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_a_first_compression_is_five_lines() -> None:
    assert len(SNIPPETS[0].splitlines()) == 5


def test_the_snippets_run(tiny_demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny_demo)
    for side in ("left", "right"):
        cv2.imwrite(f"{side}.png", np.random.default_rng(0).integers(0, 256, (96, 192, 3), np.uint8))
    names: dict[str, object] = {}
    for snippet in SNIPPETS:
        exec(compile(snippet, "python.md", "exec"), names)
    assert names["disparity"].shape == (96, 192)
    assert names["figure"] is not None
    assert (tiny_demo / "runs" / "cost" / "report.html").is_file()
    assert (tiny_demo / "workload.yaml").is_file()
