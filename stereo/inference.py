"""Inference of a network on pairs, and errors of its disparity maps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from disparsity.stereo.metrics import ErrorSums, image_errors
from disparsity.stereo.network import StereoNetwork


class Pair(Protocol):
    """What scoring needs of a sample: the two views, the truth and where it is known."""

    @property
    def left(self) -> Tensor: ...  # noqa: D102

    @property
    def right(self) -> Tensor: ...  # noqa: D102

    @property
    def disparity(self) -> Tensor: ...  # noqa: D102

    @property
    def valid(self) -> Tensor: ...  # noqa: D102


def predict(network: StereoNetwork, left: Tensor, right: Tensor) -> NDArray[np.float32]:
    """The finest disparity map ``[H, W]`` in pixels of one pair ``[3, H, W]``, in eval mode, without gradients."""
    training = network.training
    network.eval()
    device = network.mean.device
    with torch.inference_mode():
        finest = network(left[None].to(device), right[None].to(device))[-1][0].float().cpu().numpy()
    network.train(training)
    return finest


def score(network: StereoNetwork, pairs: Iterable[Pair], max_disparity: float | None = None) -> list[ErrorSums]:
    """The error sums of every pair, in order; `max_disparity` is the mask limit (None scores every known pixel)."""
    return [
        image_errors(predict(network, pair.left, pair.right), pair.disparity.numpy(), pair.valid.numpy(), max_disparity)
        for pair in pairs
    ]
