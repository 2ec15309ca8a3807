"""The running error against the metrics of whole images, pixel by pixel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from disparsity.datasets.batches.stream import Batch
from disparsity.finetune.running_error import RunningError
from disparsity.stereo.metrics import image_errors, pooled


def batch_of(seed: int) -> tuple[torch.Tensor, Batch]:
    generator = torch.Generator().manual_seed(seed)
    disparity = 1 + 60 * torch.rand(2, 5, 7, generator=generator)
    estimate = disparity + torch.randn(2, 5, 7, generator=generator)
    views = torch.zeros(2, 3, 5, 7)
    valid = torch.rand(2, 5, 7, generator=generator) < 0.6
    return estimate, Batch(left=views, right=views, disparity=disparity, valid=valid, ids=("a", "b"))


def test_it_is_the_pooled_error_of_all_batches_since_it_was_asked() -> None:
    errors, images = RunningError(), []
    for seed in range(3):
        estimate, batch = batch_of(seed)
        errors.add(estimate, batch, 48.0)
        arrays = zip(estimate.numpy(), batch.disparity.numpy(), batch.valid.numpy(), strict=True)
        images += [image_errors(*each, max_disparity=48.0) for each in arrays]
    assert errors.take() == pytest.approx(pooled(images)["epe_px"], rel=1e-6)
    assert errors.take() is None


def test_pixels_without_truth_or_estimate_do_not_count() -> None:
    estimate, batch = batch_of(5)
    estimate[0, 0] = np.nan
    errors = RunningError()
    errors.add(estimate, batch, 48.0)
    known = batch.valid & (batch.disparity < 48) & estimate.isfinite()
    assert errors.take() == pytest.approx(float((estimate - batch.disparity).abs()[known].mean()))
    errors.add(estimate, replace(batch, valid=torch.zeros_like(batch.valid)), 48.0)
    assert errors.take() is None


def test_nothing_is_kept_of_the_graph() -> None:
    estimate, batch = batch_of(1)
    errors = RunningError()
    errors.add(estimate.requires_grad_(), batch, 48.0)
    assert not errors.sums.requires_grad
