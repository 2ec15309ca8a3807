"""Needs of stages: what a float and a quantized network can go through, refused before a folder is made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from disparsity import pipeline
from disparsity.base.errors import InputError
from disparsity.checkpoint.restore import open_network
from disparsity.recipe.recipe import load_recipe
from disparsity.recipe.stages import STAGES, StageKind
from disparsity.run.stage_needs import check_needs
from disparsity.stereo.network import StereoNetwork


def stages(names: str) -> list[StageKind]:
    return [STAGES[name] for name in names.split()]


def start(deployable: Path, *, quantized: bool) -> StereoNetwork:
    return open_network(str(deployable), None) if quantized else open_network("", "stereonet")


@pytest.mark.parametrize("names", ["train", "prune finetune quantize finetune_quantized", "quantize prune finetune"])
def test_what_a_float_network_can_go_through(deployable: Path, names: str) -> None:
    check_needs(stages(names), start(deployable, quantized=False))


@pytest.mark.parametrize("names", ["train", "prune", "finetune finetune_quantized"])
def test_what_a_quantized_network_can_go_through(deployable: Path, names: str) -> None:
    check_needs(stages(names), start(deployable, quantized=True))


@pytest.mark.parametrize(
    ("names", "quantized", "message"),
    [
        ("prune quantize", True, "quantize: the network is quantized already"),
        ("quantize quantize", False, "quantize: the network is quantized already"),
        ("prune finetune_quantized", False, "finetune_quantized: the network has no quantizers; quantize it first"),
    ],
)
def test_what_a_network_cannot_go_through(deployable: Path, names: str, quantized: bool, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}"):
        check_needs(stages(names), start(deployable, quantized=quantized))


def test_it_is_refused_before_a_folder_is_made(
    write_recipe: Callable[..., Path], deployable: Path, tmp_path: Path
) -> None:
    recipe = load_recipe(write_recipe(tmp_path))
    for name, checkpoint, message in (
        ("quantize", str(deployable), "quantized already"),
        ("finetune_quantized", None, "has no quantizers"),
    ):
        with pytest.raises(InputError, match=message):
            pipeline.run_single(recipe, tmp_path / "run", name, checkpoint)
        assert not (tmp_path / "run").exists()
