"""Requirements on a user's module: each of them refused with one line, and what is allowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from disparsity.base.errors import InputError
from disparsity.stereo.networks.user_module import check_module, checked_spec
from disparsity.stereo.spec import NetworkSpec


class SilentTrain(nn.Conv2d):
    def train(self, mode: bool = True) -> None:  # type: ignore[override]
        super().train(mode)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: nn.Conv2d(1, 1, 1).half(), "parameters of another type; found weight of float16; expected float32"),
        (
            lambda: nn.Sequential(nn.Conv2d(1, 1, 1, dtype=torch.float64)),
            "parameters of another type; found 0.weight of float64",
        ),
        (lambda: nn.Sequential(nn.LazyConv2d(3, 1)), "a lazy layer has no shape yet; found 0.weight"),
        (
            lambda: nn.Sequential(nn.LazyBatchNorm2d(affine=False)),
            "a lazy layer .*; found 0.running_mean",
        ),
        (lambda: nn.DataParallel(nn.Conv2d(1, 1, 1)), "the module is wrapped; found DataParallel; expected the plain"),
        (lambda: SilentTrain(1, 1, 1), "its method train returns something else; expected return self"),
    ],
)
def test_a_module_that_could_not_be_used(build: Callable[[], nn.Module], message: str) -> None:
    with pytest.raises(InputError, match=f"^a:b: {message}"):
        check_module(build(), "a:b")


def test_a_module_keeps_its_mode() -> None:
    module = nn.Conv2d(1, 1, 1).eval()
    check_module(module, "a:b")
    assert not module.training


def spec(**changes: Any) -> NetworkSpec:
    values = {"settings": {}, "divisor": 4, "mean": (0.5,) * 3, "std": (0.25,) * 3, "max_disparity": 8}
    return NetworkSpec(**{"name": "x", "protected": ("head",), **values, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"protected": "head"}, "protected = 'head'; expected Input should be a valid tuple"),
        ({"loss_weights": 1.0}, "loss_weights = 1.0; expected"),
        ({"loss_weights": ()}, r"loss_weights = \(\); expected"),
        ({"loss_weights": (1.0, -1.0)}, r"loss_weights = \(1.0, -1.0\); expected"),
        ({"loss_weights": (0.0,)}, r"loss_weights = \(0.0,\); expected"),
        ({"mean": (0.5,)}, r"mean\.1 = "),
        ({"std": (1.0, 0.0, 1.0)}, r"std = \(1.0, 0.0, 1.0\); expected above 0"),
        ({"divisor": 0}, "divisor = 0; expected 1 or more"),
        ({"divisor": 4.5}, "divisor = 4.5; expected"),
        ({"max_disparity": None}, "max_disparity = None; expected"),
        ({"settings": {"width": [1]}}, r"settings\.width\.int = \[1\]"),
    ],
)
def test_an_impossible_spec(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^a:b: impossible spec; found {message}"):
        checked_spec(spec(**changes), "a:b")


def test_lists_and_whole_floats_are_taken() -> None:
    given = spec(protected=["head"], mean=[0, 0, 0], max_disparity=8.0, loss_weights=[1, 2])
    assert checked_spec(given, "a:b") == spec(mean=(0.0,) * 3, loss_weights=(1.0, 2.0))
