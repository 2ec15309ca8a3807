"""Activation statistics on the first pairs of a data set: zeros among activations, and how large they get."""

from __future__ import annotations

import torch
from torch import Tensor

from disparsity.base.errors import InputError
from disparsity.datasets.uri import open_data
from disparsity.hwcost.tracing.activation_statistics import Observation, observe
from disparsity.hwcost.tracing.workload import trace_workload
from disparsity.stereo.network import StereoNetwork

CHEAP_WINDOW = (256, 512)
CHEAP_MACS = 50_000_000_000
"""What a run may spend on measuring its report's pair: some seconds on one core."""


def observe_data(
    network: StereoNetwork, uri: str, pairs: int = 1, window: tuple[int, int] | None = None
) -> Observation:
    """Run `network` on the first pairs of a data set.

    Args:
        network: with its masks and quantizers, calibrated.
        uri: of the data set.
        pairs: how many, or all where there are fewer.
        window: height and width of the middle of each pair that is run; None runs whole pairs.

    Raises:
        InputError: no pair is requested, or the URI is wrong.

    """
    if pairs < 1:
        raise InputError("no pairs to measure on", where="--pairs", found=pairs, expected="1 or more")
    data = open_data(uri)
    samples = [data[index] for index in range(min(pairs, len(data)))]
    whole = [(sample.left[None], sample.right[None]) for sample in samples]
    views = [tuple(_middle(view, window) for view in pair) for pair in whole]
    cropped = any(view.shape != full.shape for view, full in zip(views[0], whole[0], strict=True))
    return observe(network, views, data=uri, cropped=cropped)


def observe_cheaply(network: StereoNetwork, uri: str) -> Observation | None:
    """The middle of the first pair, or None where even that takes too long."""
    views = (torch.zeros(1, 3, *CHEAP_WINDOW), torch.zeros(1, 3, *CHEAP_WINDOW))
    if trace_workload(network, views).dense_macs > CHEAP_MACS:
        return None
    return observe_data(network, uri, window=CHEAP_WINDOW)


def _middle(view: Tensor, window: tuple[int, int] | None) -> Tensor:
    """The middle ``[1, 3, h, w]`` of a view, or all of it where it is smaller."""
    for axis, size in zip((2, 3), window or view.shape[2:], strict=True):
        kept = min(size, view.shape[axis])
        view = view.narrow(axis, (view.shape[axis] - kept) // 2, kept)
    return view
