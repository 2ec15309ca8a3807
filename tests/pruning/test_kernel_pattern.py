"""Whole kernels: ties within a slice, nothing kept in part."""

from __future__ import annotations

import torch

from disparsity.pruning.kernel_pattern import slice_scores, whole_slices


def test_every_weight_has_the_mean_of_its_slice() -> None:
    score = torch.tensor([[[[1.0, 3.0]], [[0.0, 5.0]]]])
    assert slice_scores({"a": score})["a"].tolist() == [[[[2.0, 2.0]], [[2.5, 2.5]]]]


def test_removed_slices_stay_out_and_returning_ones_count_what_competes() -> None:
    score = torch.tensor([[[[-1.0, -1.0]], [[-1.0, 4.0]]]])
    assert slice_scores({"a": score})["a"].tolist() == [[[[-1.0, -1.0]], [[2.0, 2.0]]]]


def test_slices_in_part_are_removed() -> None:
    mask = torch.tensor([[[[True, True]], [[True, False]]]])
    assert whole_slices({"a": mask})["a"].tolist() == [[[[True, True]], [[False, False]]]]


def test_linear_layers_have_slices_of_one_weight() -> None:
    score, mask = torch.rand(2, 3), torch.rand(2, 3) > 0.5
    assert torch.equal(slice_scores({"a": score})["a"], score)
    assert torch.equal(whole_slices({"a": mask})["a"], mask)
