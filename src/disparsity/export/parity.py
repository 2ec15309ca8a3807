"""Parity check: the exported file computes what torch computes."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from disparsity.base.errors import InputError
from disparsity.evaluation.sessions.metadata import FileMetadata
from disparsity.stereo.inference import predict
from disparsity.stereo.network import StereoNetwork

_TOLERANCE, _TOLERANCE_QUANTIZED = 0.001, 0.05
"""Mean difference between torch and a runtime that is accepted, as a fraction of the largest disparity.

A value beside a tie may get the other code where the two add in another order. A network that was hardly trained
amplifies one such code on noise: 1.6 % were seen, which a bias changed by 1e-5 gives in torch, too."""

_BLUR, _SHIFT_PX = 8, 4


def blurred_pair(size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Blurred noise ``[3, H, W]`` and the same shifted to the left by a few pixels."""
    coarse = torch.rand(1, 3, *(length // _BLUR + 2 for length in size), generator=torch.Generator().manual_seed(0))
    left = F.interpolate(coarse, size=size, mode="bilinear", align_corners=False)[0]
    return left, left.roll(-_SHIFT_PX, dims=-1)


def check_parity(found: NDArray[np.float32], network: StereoNetwork, metadata: FileMetadata, runtime: str) -> None:
    """Compare the map ``[H, W]`` that a runtime gives for the blurred pair with that of torch.

    Args:
        found: the runtime's.
        network: what was exported.
        metadata: of the export.
        runtime: its name, for the message.

    Raises:
        InputError: the two disagree.

    """
    expected = predict(network, *blurred_pair(metadata.input_size))
    difference = float(np.abs(found - expected).mean())
    tolerance = _TOLERANCE_QUANTIZED if metadata.stage == "quantized" else _TOLERANCE
    if not difference <= tolerance * metadata.max_disparity:
        raise InputError(f"{runtime} and torch disagree", found=f"{difference:g} px on average", where=metadata.network)
