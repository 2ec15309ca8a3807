"""The command line in process, and the promise that a refused command leaves everything as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from disparsity.cli import main

DATA = "synthetic:?pairs=2&size=32x64&seed=5&max_disparity=16"


@pytest.fixture
def run_main(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command that must succeed in silence on standard error; returns its standard output."""

    def run(*arguments: object) -> str:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert (code, err) == (0, "")
        return out

    return run


@pytest.fixture
def refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, snapshot: Callable[[Path], dict[str, str]]
) -> Callable[..., str]:
    """Runs a command that must fail with `code`, one line and no trace in `tmp_path`; returns that line."""

    def run(code: int, *arguments: object) -> str:
        before = snapshot(tmp_path)
        capsys.readouterr()
        assert main([str(argument) for argument in arguments]) == code
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("disparsity: ")
        assert err.endswith("\n")
        assert err.count("\n") == 1
        assert snapshot(tmp_path) == before
        return err

    return run


@pytest.fixture(scope="session")
def kitti(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two synthetic pairs in KITTI 2015 layout; tests must not change them."""
    folder = tmp_path_factory.mktemp("data") / "kitti"
    assert main(["data", "synthesize", DATA, "--out", str(folder), "--layout", "kitti2015"]) == 0
    return folder


@pytest.fixture(scope="session")
def sceneflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same pairs in SceneFlow layout."""
    folder = tmp_path_factory.mktemp("data") / "sceneflow"
    assert main(["data", "synthesize", DATA, "--out", str(folder), "--layout", "sceneflow"]) == 0
    return folder
