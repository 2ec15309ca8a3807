"""Stage `quantize`: taken alone, from a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from disparsity import pipeline
from disparsity.checkpoint.restore import open_network
from disparsity.recipe.recipe import load_recipe


def test_a_checkpoint_is_quantized_as_in_the_whole_run(
    finished: Path, write_recipe: Callable[..., Path], tmp_path: Path
) -> None:
    recipe = load_recipe(write_recipe(tmp_path))
    folder = pipeline.run_single(recipe, tmp_path / "run", "quantize", str(finished / "stages" / "02-finetune"))
    assert folder.name == "03-quantize"
    other = open_network(str(finished / "stages" / folder.name), None).state_dict()
    for name, tensor in open_network(str(folder), None).state_dict().items():
        assert torch.equal(tensor, other[name]), name
