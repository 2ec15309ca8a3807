"""Panel: the data of one stereo pair before and after compression, as a report draws it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One stereo pair with both estimates.

    Attributes:
        id: unique within its data set, e.g. ``TEST/A/0000/0006``.
        left: ``[H, W, 3]`` uint8 RGB.
        ground_truth: ``[H, W]`` float32 in pixels.
        valid: ``[H, W]`` bool, true where the ground truth is known.
        dense: ``[H, W]`` float32, the dense network's disparity in pixels.
        compressed: ``[H, W]`` float32, the compressed network's disparity in pixels.

    """

    id: str
    left: NDArray[np.uint8]
    ground_truth: NDArray[np.float32]
    valid: NDArray[np.bool_]
    dense: NDArray[np.float32]
    compressed: NDArray[np.float32]
