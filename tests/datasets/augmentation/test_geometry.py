"""Changed geometry against warping: the right view sampled by the changed disparity is the changed left view."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from disparsity.datasets.augmentation.geometry import mirror, resize, right_disparity, shift_rows
from disparsity.datasets.sample import Sample
from disparsity.datasets.synthetic.scenes import render
from disparsity.datasets.synthetic.surfaces import Surface

H, W = 40, 80


def surface(offset: float, seed: int, slope_x: float = 0.0, radii: tuple[float, float] | None = None) -> Surface:
    places = np.arange(64) * (2 * np.pi / 64)
    phase = np.random.default_rng(seed).uniform(0, 6, 3)
    texture = 0.5 + 0.4 * np.sin(places[:, None, None] + phase) * np.cos(2 * places[None, :, None] + phase[::-1])
    return Surface(
        offset=offset,
        slope_x=slope_x,
        slope_y=0.02,
        centre=(45.0, 20.0),
        radii=radii,
        angle=0.0,
        power=6.0,
        texture=texture.astype(np.float32),
        texture_scale=0.6,
        texture_shift=(0.0, 0.0),
    )


@pytest.fixture
def sample() -> Sample:
    scene = render([surface(4.0, 0, 0.02), surface(10.3, 1, -0.05, (12, 9))], H, W)
    left, right = (torch.from_numpy(view).permute(2, 0, 1).contiguous() for view in (scene.left, scene.right))
    disparity = torch.from_numpy(scene.disparity)
    return Sample(left, right, disparity, disparity > 0, "a")


def mismatch(sample: Sample) -> float:
    """Median difference between the left view and the right view fetched by the disparity, where that is inside."""
    rows, columns = sample.disparity.shape
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    places = x - sample.disparity.numpy()
    warped = cv2.remap(sample.right.permute(1, 2, 0).contiguous().numpy(), places, y, cv2.INTER_LINEAR)
    difference = np.abs(warped - sample.left.permute(1, 2, 0).numpy()).max(-1)
    return float(np.quantile(difference[sample.valid.numpy() & (places >= 0)], 0.75))


@pytest.mark.parametrize(("height", "width"), [(40, 80), (60, 120), (31, 70), (25, 60)])
def test_a_resized_pair_still_matches(sample, height, width):
    resized = resize(sample, height, width)
    assert resized.left.shape == resized.right.shape == (3, height, width)
    assert mismatch(resized) < 0.02
    assert mismatch(resized) < 0.4 * mismatch(replace(resized, disparity=resized.disparity + 1))


def test_disparity_grows_with_the_width_only():
    x = torch.arange(20.0)
    plane = (3 + 0.1 * x).expand(10, 20)
    view = torch.zeros(3, 10, 20)
    resized = resize(Sample(view, view, plane, plane > 0, "a"), 5, 40)
    centres = (torch.arange(40) + 0.5) / 2 - 0.5
    torch.testing.assert_close(resized.disparity[:, 1:-1], (2 * (3 + 0.1 * centres[1:-1])).expand(5, 38))


def test_unknown_pixels_stay_unknown_and_never_bleed():
    disparity = torch.full((8, 8), 6.0)
    valid = torch.ones(8, 8, dtype=torch.bool)
    valid[2, 3] = valid[5] = False
    disparity[~valid] = 0
    resized = resize(Sample(torch.zeros(3, 8, 8), torch.zeros(3, 8, 8), disparity, valid, "a"), 16, 16)
    assert set(resized.disparity.unique().tolist()) == {0.0, 12.0}
    assert torch.equal(resized.valid, resized.disparity > 0)
    assert int((~resized.valid).sum()) == 4 * 9


def test_edges_keep_either_surface():
    disparity = torch.full((4, 8), 2.0)
    disparity[:, 4:] = 10
    resized = resize(Sample(torch.zeros(3, 4, 8), torch.zeros(3, 4, 8), disparity, disparity > 0, "a"), 6, 12)
    assert set(resized.disparity.numpy().round(4).ravel().tolist()) == {3.0, 15.0}


def test_a_mirrored_pair_matches(sample):
    turned = mirror(sample)
    assert torch.equal(turned.left, sample.right.flip(-1))
    assert torch.equal(turned.right, sample.left.flip(-1))
    assert 0.6 < turned.valid.float().mean() < 1
    assert mismatch(turned) < 0.02


def test_disparity_of_the_right_view_is_that_of_the_right_rendering(sample):
    surfaces = [surface(4.0, 0, 0.02), surface(10.3, 1, -0.05, (12, 9))]
    y, x = np.mgrid[0:H, 0:W].astype(np.float32)
    truth = np.zeros((H, W), np.float32)
    for item in surfaces:
        x_left = item.left_column(x, y)
        truth = np.where(item.covers(x_left, y), np.maximum(truth, item.disparity(x_left, y)), truth)
    found = right_disparity(sample.disparity, sample.valid).numpy()
    known = found > 0
    assert known.mean() > 0.75
    close = np.abs(found - truth)[known] < 1e-3
    assert close.mean() > 0.95


def test_rows_by_hand():
    view = torch.arange(4.0)[:, None].expand(3, 4, 2)
    assert shift_rows(view, 1.0)[0, :, 0].tolist() == [0, 0, 1, 2]
    assert shift_rows(view, -1.0)[0, :, 0].tolist() == [1, 2, 3, 3]
    torch.testing.assert_close(shift_rows(view, 0.25)[1, :, 1], torch.tensor([0, 0.75, 1.75, 2.75]))
