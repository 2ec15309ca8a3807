"""The examples in the docstrings of the public functions run, with a demo of hardly any steps."""

from __future__ import annotations

import doctest
from pathlib import Path

import cv2
import numpy as np
import pytest

import disparsity


@pytest.mark.parametrize("name", ["load", "predict", "evaluate", "cost", "export", "compare", "run"])
def test_the_example_runs(name: str, tiny_demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny_demo)
    for side in ("left", "right"):
        cv2.imwrite(f"{side}.png", np.random.default_rng(0).integers(0, 256, (96, 192, 3), np.uint8))
    (example,) = doctest.DocTestFinder(recurse=False).find(
        getattr(disparsity, name), name, globs={"disparsity": disparsity}
    )
    assert example.examples
    said: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(example, out=said.append)
    assert result.failed == 0, "".join(said)


def test_the_package_gives_seven_functions_that_submodules_do_not_replace() -> None:
    for name in disparsity._API:
        function = getattr(disparsity, name)
        assert callable(function)
        for part in ("Args:", "Returns:", "Raises:", "Example:"):
            assert part in (function.__doc__ or ""), (name, part)
    with pytest.raises(AttributeError, match="no attribute 'fly'"):
        disparsity.fly  # noqa: B018
