"""Prefixes of tensor names."""

from __future__ import annotations

import torch

from disparsity.base.tensor_names import with_prefix, without_prefix


def test_prefixes_are_inverse() -> None:
    tensors = {"weight": torch.ones(2), "bias": torch.zeros(1)}
    mixed = with_prefix("a.", tensors) | with_prefix("b.", {"weight": torch.zeros(1)})
    assert without_prefix("a.", mixed).keys() == tensors.keys()
    assert without_prefix("b.", mixed)["weight"].tolist() == [0.0]
    assert without_prefix("c.", mixed) == {}
