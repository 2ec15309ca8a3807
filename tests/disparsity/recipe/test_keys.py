"""The list of keys: complete, documented, and each with the methods that read it."""

from __future__ import annotations

import tomllib

from disparsity.finetune.settings import TrainSettings
from disparsity.recipe.keys import list_keys
from disparsity.recipe.recipe import Recipe, to_toml
from disparsity.recipe.sections import PruneSection, QuantizeSection

KEYS = list_keys(Recipe)


def test_every_key_has_a_type_and_a_meaning() -> None:
    assert [key.path for key in KEYS if not key.meaning] == []
    assert [key.path for key in KEYS if not key.type and key.path.count(".") > 0 and not key.default] == []


def test_keys_name_the_methods_that_read_them() -> None:
    found = {key.path: key for key in KEYS}
    assert found["prune.mode.drop_fraction"].methods == ("regrow", "rigl")
    assert found["prune.mode.decay"].methods == ("soft",)
    assert found["prune.score.batches"].methods == ("taylor_pass", "quant_aware", "snip")
    assert found["quantize.quantizer.threshold"].methods == ("ternary",)
    key = found["prune.sparsity"]
    assert (key.methods, key.type, key.default) == ((), "float (0 or more, below 1)", "required")
    assert key.meaning == "fraction of the prunable weights to remove in the end."
    assert found["prune.mode"].type == "frozen, regrow, reconstruct, alternating, soft, rigl"


def test_what_a_recipe_writes_is_listed() -> None:
    train = TrainSettings(steps=100)
    recipe = Recipe(train=train, prune=PruneSection(sparsity=0.5, train=train), quantize=QuantizeSection())

    def walk(table: dict[str, object], path: str) -> set[str]:
        inner = [walk(v, f"{path}{k}.") if isinstance(v, dict) else {f"{path}{k}"} for k, v in table.items()]
        return set().union(*inner)

    written = walk(tomllib.loads(to_toml(recipe)), "")
    assert {path for path in written if not path.endswith(".name")} <= {key.path for key in KEYS}
