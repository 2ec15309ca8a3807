"""`disparsity.evaluate`: the disparity error of a network on data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from disparsity.api.network import Network, load
from disparsity.base.errors import DataError, InputError
from disparsity.datasets.sample import Sample
from disparsity.datasets.uri import open_data
from disparsity.evaluation.evaluation import evaluate_estimates
from disparsity.evaluation.prediction import View, views_of

Triple = tuple[View, View, Any]


def evaluate(
    checkpoint: str | Path | nn.Module | Network,
    data: str | Sequence[Triple],
    *,
    network: str | None = None,
    split: str | Path | None = None,
    mask: float = 0.0,
    runtime: str = "torch",
    device: str = "auto",
) -> dict[str, Any]:
    """Measure EPE, bad-1, bad-2, bad-3, D1 and density over valid pixels, pooled and per image.

    Args:
        checkpoint: as in `load`, or what it returned.
        data: a data URI (see `disparsity list data`), or a list of (left, right, disparity): views as in `predict`, the
            ground truth ``[H, W]`` in pixels, unknown where it is not finite or not above 0.
        network: as in `load`.
        split: a file with the ids to evaluate, one per line; for a URI.
        mask: leave out ground truth of this many pixels or more; 0 scores every known pixel, as a run does, and a
            notice says how many lie beyond the network's maximum disparity.
        runtime: as in `load`.
        device: as in `load`.

    Returns:
        the figures by name: `epe_px`, `bad1_percent`, `d1_percent`, `per_image_epe_px`, `pixels`, ...

    Raises:
        DataError: the data cannot be read.
        InputError: the checkpoint or an argument is wrong.

    Example:
        >>> row = disparsity.evaluate("builtin:reference", "synthetic:?pairs=2&seed=7")
        >>> row["images"], row["epe_px"] < 3
        (2, True)

    """
    if not 0.0 <= mask < math.inf:
        raise InputError("out of range", where="--mask", found=mask, expected="0 (every known pixel) or more")
    opened = load(checkpoint, network, runtime=runtime, device=device)
    if isinstance(data, str):
        samples, uri = open_data(data, None if split is None else Path(split)), data
    else:
        samples, uri = _Pairs(data), f"{len(data)} pairs in memory"
    run, reach = opened.executable, opened.max_disparity
    row = evaluate_estimates(
        run.estimate, samples, uri=uri, stage=opened.stage, max_disparity=reach, mask_disparity=mask
    ).row
    row |= {"runtime": runtime}
    return row if run.float_layers is None else row | {"float_layers": list(run.float_layers)}


class _Pairs:
    """Pairs in memory as a data set."""

    name = "pairs in memory"

    def __init__(self, pairs: Sequence[Triple]) -> None:
        self._pairs = pairs

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int) -> Sample:
        left, right, truth = self._pairs[index]
        views = views_of(left, right)
        disparity = truth.detach().cpu() if isinstance(truth, Tensor) else torch.from_numpy(np.array(truth))
        if disparity.shape != views[0].shape[1:]:
            found, expected = tuple(disparity.shape), tuple(views[0].shape[1:])
            raise DataError("the ground truth is not of the views' size", found=found, expected=expected)
        valid = torch.isfinite(disparity) & (disparity > 0)
        return Sample(*views, torch.where(valid, disparity, 0).float(), valid, str(index))

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))

    def ids(self) -> list[str]:
        return [str(index) for index in range(len(self))]

    def fingerprint(self) -> str:
        return self.name
