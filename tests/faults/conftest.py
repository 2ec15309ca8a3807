"""One file per row of the reliability matrix (docs/reliability.md), as a user would meet it; long ones are `soak`."""

from __future__ import annotations

import contextlib
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for the package `campaign`

from disparsity import pipeline
from disparsity.base.atomic_io import sha256_of
from disparsity.cli import main
from disparsity.recipe.recipe import load_recipe

RECIPE = """
threads = 1
[network]
name = "reference"
checkpoint = "{checkpoint}"
[data]
train = ["synthetic:?pairs=8&size=64x128&seed=1&max_disparity=16"]
test = ["synthetic:?pairs=1&size=64x128&seed=9&max_disparity=16"]
batch = 1
[prune]
sparsity = 0.7
events = 2
[prune.train]
steps = 3
lr_schedule = "constant"
batch_norm = "eval"
[finetune]
steps = 2
batch_norm = "eval"
[quantize]
rounding = "nearest"
[finetune_quantized]
steps = 2
batch_norm = "eval"
[report]
pictures = 1
"""
"""Every stage in a few steps; BatchNorm is kept, since measuring it anew would take most of the time."""


@pytest.fixture(scope="session")
def write_recipe(checkpoint: Path) -> Callable[[Path], Path]:
    """Writes the recipe into a folder and returns its path."""

    def write(folder: Path) -> Path:
        path = folder / "recipe.toml"
        path.write_text(RECIPE.format(checkpoint=checkpoint))
        return path

    return write


@pytest.fixture(scope="session")
def finished(write_recipe: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing disturbed; tests must not change it."""
    folder = tmp_path_factory.mktemp("unbroken")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "build_report", lambda _run, _recipe: {})
        pipeline.run(load_recipe(write_recipe(folder)), folder / "run")
    return folder / "run"


@pytest.fixture(scope="session")
def hashes() -> Callable[[Path], dict[str, str]]:
    """What a run is made of, times aside: tensors, maps and metrics by their SHA-256."""

    def take(run: Path) -> dict[str, str]:
        kinds = ("stages/*/checkpoint-*.safetensors", "evaluation/*/*.npy", "stages/*/metrics.jsonl")
        return {str(path.relative_to(run)): sha256_of(path) for kind in kinds for path in run.glob(kind)}

    return take


@pytest.fixture
def one_line(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command that must end with `code` and one line; returns the line."""

    def run(code: int, *arguments: object) -> str:
        capsys.readouterr()
        assert main([str(argument) for argument in arguments]) == code
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        return err

    return run


@pytest.fixture
def file_limit() -> Callable[[int], contextlib.AbstractContextManager[None]]:
    """A block in which no file may grow beyond so many bytes: EFBIG where a full disk gives ENOSPC."""

    @contextlib.contextmanager
    def limit(size: int) -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limit
