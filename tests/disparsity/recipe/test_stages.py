"""Stages of a run: their sections, and which of them leaves the pruned float network."""

from __future__ import annotations

import pytest

from disparsity.recipe.recipe import Recipe
from disparsity.recipe.stages import STAGES, last_float_stage, stage_of_folder


def test_every_stage_is_a_section_of_the_recipe() -> None:
    assert set(STAGES) <= set(Recipe.__dataclass_fields__)
    assert [stage.name for stage in STAGES.values() if stage.help] == ["train", "prune", "finetune", "quantize"]


def test_a_folder_names_its_stage() -> None:
    assert stage_of_folder("04-finetune_quantized") is STAGES["finetune_quantized"]


@pytest.mark.parametrize(
    ("names", "place"),
    [
        ("prune finetune quantize finetune_quantized", 1),
        ("prune quantize", 0),
        ("prune finetune_quantized", 0),
        ("finetune", 0),
        ("quantize finetune_quantized", None),
        ("quantize finetune_quantized prune finetune", None),
        ("prune quantize finetune_quantized prune finetune_quantized", None),
        ("train", None),
        ("", None),
    ],
)
def test_the_last_float_stage(names: str, place: int | None) -> None:
    assert last_float_stage([STAGES[name] for name in names.split()]) == place
