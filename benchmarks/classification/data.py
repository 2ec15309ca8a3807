"""Image sets for classification, split and normalised, and their batches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor

from classification.cifar10 import CLASSES, load_cifar10
from disparsity.base.errors import InputError

DIGITS_TEST = 597
_SPLIT_SEED = 0
_SHIFT = 4


@dataclass(frozen=True, kw_only=True)
class ImageSet:
    """Images ``[N, C, H, W]`` (float32, each channel normalised by the training images) and labels ``[N]`` (int64)."""

    images: Tensor
    labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    classes: int

    def batch(self, seed: int, index: int, size: int, *, augment: bool = False) -> tuple[Tensor, Tensor]:
        """Images and labels drawn at random, the same ones for the same seed and index."""
        generator = torch.Generator().manual_seed(seed * 10_000_019 + index)
        chosen = torch.randint(len(self.labels), (size,), generator=generator)
        images = self.images[chosen]
        return (augmented(images, generator) if augment else images), self.labels[chosen]


def open_images(name: str, folder: Path | None) -> ImageSet:
    """The image set of a recipe.

    Raises:
        InputError: there is no such set, or CIFAR-10 was asked for without a folder.
        DataError: its files are missing or damaged.

    """
    if name == "digits":
        return digits()
    if name != "cifar10":
        raise InputError(f"unknown image set '{name}'", where="data", expected="digits, cifar10")
    if folder is None:
        raise InputError("CIFAR-10 is not in the project", where="CIFAR10", remedy="name the folder of its .bin files")
    train, test = load_cifar10(folder)
    return normalised(train, test, CLASSES)


def digits() -> ImageSet:
    """scikit-learn's handwritten digits, 8x8 as they are: 1200 to train on, 597 to judge by, drawn once by a seed."""
    pixels, targets = load_digits(return_X_y=True)
    images = torch.from_numpy(pixels).float().view(-1, 1, 8, 8)
    labels = torch.from_numpy(targets).long()
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(_SPLIT_SEED))
    test, train = order[:DIGITS_TEST], order[DIGITS_TEST:]
    return normalised((images[train], labels[train]), (images[test], labels[test]), 10)


def normalised(train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], classes: int) -> ImageSet:
    """The set with mean 0 and deviation 1 per channel over the training images."""
    images = train[0].float()
    mean, deviation = images.mean((0, 2, 3), keepdim=True), images.std((0, 2, 3), keepdim=True)
    return ImageSet(
        images=(images - mean) / deviation,
        labels=train[1],
        test_images=(test[0].float() - mean) / deviation,
        test_labels=test[1],
        classes=classes,
    )


def augmented(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each image shifted by up to 4 pixels into zeros, half of them mirrored.

    Source: He et al., CVPR 2016, section 4.2. Interpretation: the mean colour, zero here, is what they pad with.
    """
    height, width = images.shape[-2:]
    padded = F.pad(images, (_SHIFT,) * 4)
    places = torch.randint(2 * _SHIFT + 1, (len(images), 2), generator=generator).tolist()
    mirrored = torch.randint(2, (len(images),), generator=generator).tolist()
    crops = [image[:, y : y + height, x : x + width] for image, (y, x) in zip(padded, places, strict=True)]
    return torch.stack([crop.flip(-1) if flip else crop for crop, flip in zip(crops, mirrored, strict=True)])
