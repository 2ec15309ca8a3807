"""The `sweep` section of a recipe."""

from __future__ import annotations

import pytest

from disparsity.base.errors import InputError
from disparsity.recipe.sweep import Range, SweepSettings, parse_parameter


@pytest.mark.parametrize(
    ("text", "key", "values"),
    [
        ("prune.sparsity = 0.9..0.99", "prune.sparsity", Range(low=0.9, high=0.99, whole=False, log=False)),
        ("quantize.weight_bits=2..8", "quantize.weight_bits", Range(low=2, high=8, whole=True, log=False)),
        (
            "finetune.learning_rate = 1e-4..1e-2 log",
            "finetune.learning_rate",
            Range(low=1e-4, high=1e-2, whole=False, log=True),
        ),
        ("prune.mode = frozen | regrow", "prune.mode", ("frozen", "regrow")),
    ],
)
def test_parameters_are_read(text: str, key: str, values: object) -> None:
    parameter = parse_parameter(text)
    assert parameter.key == key
    assert parameter.values == values


@pytest.mark.parametrize(
    "text",
    ["", "a", "a =", "= 1..2", "a = 1", "a = 2..1", "a = 1..1", "a = x..y", "a = 0..1 log", "a = 1..2 lin", "a = b |"],
)
def test_what_is_no_parameter_is_named(text: str) -> None:
    with pytest.raises(InputError, match=r"^parameters: not a parameter of a sweep; found "):
        SweepSettings(parameters=(text,))


@pytest.mark.parametrize(
    "settings",
    [
        {"parameters": ()},
        {"parameters": ("a = 1..2",), "trials": 0},
        {"parameters": ("a = 1..2", "a = 3..4")},
        {"parameters": ("a = 1..2",), "cost": "watts"},
        {"parameters": ("a = 1..2",), "error": "psnr"},
        {"parameters": ("a = 1..2",), "sampler": "grid"},
    ],
)
def test_impossible_sweeps_are_refused(settings: dict) -> None:
    with pytest.raises(InputError):
        SweepSettings(**settings)
