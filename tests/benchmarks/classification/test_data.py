"""Splits, normalisation and batches of the image sets."""

from __future__ import annotations

import pytest
import torch
from classification.data import augmented, digits, normalised, open_images

from disparsity.base.errors import InputError


def test_digits_are_split_without_overlap_and_normalised() -> None:
    data = digits()
    assert (data.images.shape, data.test_images.shape) == ((1200, 1, 8, 8), (597, 1, 8, 8))
    assert float(data.images.mean()) == pytest.approx(0.0, abs=1e-5)
    assert float(data.images.std()) == pytest.approx(1.0, abs=1e-4)
    assert torch.bincount(torch.cat([data.labels, data.test_labels])).tolist() == [
        178, 182, 177, 183, 181, 182, 181, 179, 174, 180,
    ]  # fmt: skip
    assert torch.equal(digits().test_labels, data.test_labels)


def test_the_test_images_take_the_training_images_scale() -> None:
    train = torch.tensor([[0, 2], [2, 4]], dtype=torch.uint8).view(4, 1, 1, 1), torch.arange(4)
    data = normalised(train, (torch.tensor([2, 5], dtype=torch.uint8).view(2, 1, 1, 1), torch.arange(2)), 4)
    deviation = (8 / 3) ** 0.5
    assert data.test_images.flatten().tolist() == pytest.approx([0.0, 3 / deviation])


def test_batches_depend_on_seed_and_index_only() -> None:
    data = digits()
    images, labels = data.batch(1, 5, 8)
    assert torch.equal(images, data.batch(1, 5, 8)[0])
    assert not torch.equal(images, data.batch(1, 6, 8)[0])
    assert not torch.equal(images, data.batch(2, 5, 8)[0])
    assert all(
        bool((data.images[data.labels == k] == x).flatten(1).all(1).any()) for x, k in zip(images, labels, strict=True)
    )


def test_shifts_and_mirror_images() -> None:
    image = torch.zeros(1, 9, 9)
    image[0, 4, 4:6] = torch.tensor([1.0, 2.0])
    results = augmented(image.expand(200, 1, 9, 9), torch.Generator().manual_seed(0))
    assert results.shape == (200, 1, 9, 9)
    ones = (results == 1.0).flatten(1)
    rows = {int(place) // 9 for place in ones.nonzero()[:, 1]}
    assert rows == set(range(9))
    pairs = results[(results == 1.0).flatten(1).any(1) & (results == 2.0).flatten(1).any(1)].flatten(1)
    steps = {int((x == 2.0).nonzero()) - int((x == 1.0).nonzero()) for x in pairs}
    assert steps == {1, -1}


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="unknown image set 'mnist'"):
        open_images("mnist", None)
    with pytest.raises(InputError, match="CIFAR10"):
        open_images("cifar10", None)
