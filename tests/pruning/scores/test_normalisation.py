"""Scales between layers: by norm and by operations."""

from __future__ import annotations

import pytest
import torch

from disparsity.pruning.scores.normalisation import normalised, per_mac


def test_scores_per_mac() -> None:
    scores, macs = {"a": torch.tensor([8.0]), "b": torch.tensor([8.0])}, {"a": 4.0, "b": 1.0}
    assert {n: float(t) for n, t in per_mac(scores, macs, 0.5).items()} == {"a": 4.0, "b": 8.0}
    assert all(torch.equal(t, scores[n]) for n, t in per_mac(scores, macs, 0.0).items())


def test_layer_norm_by_hand_and_a_layer_of_zeros() -> None:
    scores = {"a": torch.tensor([[3.0], [4.0]]), "b": torch.zeros(2)}
    found = normalised(scores, "layer_l2")
    torch.testing.assert_close(found["a"], torch.tensor([[0.6], [0.8]]))
    assert found["b"].tolist() == [0.0, 0.0]
    assert all(tensor.dtype == torch.float32 for tensor in found.values())


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_layer_norm_does_not_leave_float32(scale: float) -> None:
    found = normalised({"a": torch.tensor([3.0, 4.0]) * scale}, "layer_l2")["a"]
    torch.testing.assert_close(found, torch.tensor([0.6, 0.8]))


def test_none_changes_nothing() -> None:
    score = torch.rand(3)
    assert normalised({"a": score}, "none")["a"] is score
