"""Keys of older recipes: every new spelling is a key that some method reads."""

from __future__ import annotations

import re

import pytest

from disparsity.base.errors import InputError
from disparsity.recipe.keys import list_keys
from disparsity.recipe.recipe import Recipe
from disparsity.recipe.renamed_keys import RENAMED, refuse_renamed

KEYS = {key.path for key in list_keys(Recipe)}


@pytest.mark.parametrize("old", RENAMED)
def test_the_new_spelling_exists_and_the_old_one_does_not(old: str) -> None:
    assert old not in KEYS
    named = re.findall(r"[a-z_]+(?:\.[a-z_0-9]+)+", RENAMED[old])
    assert named
    assert set(named) <= KEYS


def test_all_old_keys_are_named_and_new_ones_pass() -> None:
    table = {"prune": {"fade": 0.5, "sparsity": 0.5}, "finetune": {"psgd": 1, "scale_clip": 2.0, "steps": 3}}
    with pytest.raises(InputError, match=r"^a\.toml: keys of an older form: ") as caught:
        refuse_renamed(table, "a.toml")
    assert str(caught.value).count(" is now ") == 3
    refuse_renamed({"finetune": {"psgd": {"strength": 1.0}, "teacher": "dense"}}, "a.toml")
