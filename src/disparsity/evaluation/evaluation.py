"""Evaluation of a network on data, with the disparity maps of some pairs."""

from __future__ import annotations

import functools
import hashlib
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from disparsity.base import distributed
from disparsity.base.atomic_io import sha256_of, write_bytes
from disparsity.base.errors import CorruptArtefactError
from disparsity.base.notices import notice
from disparsity.base.progress import progress
from disparsity.datasets.sample import StereoDataset, check_ground_truth
from disparsity.datasets.uri import open_data
from disparsity.evaluation.panels import Panel
from disparsity.stereo.inference import predict
from disparsity.stereo.metrics import ErrorSums, image_errors, per_image_mean, pooled
from disparsity.stereo.network import StereoNetwork

_NUMBERS = len(fields(ErrorSums)) + 2  # three thresholds in one field
AGGREGATION = "pooled over all valid pixels of all images"


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """The figures of one network on one data set, and its first disparity maps ``[H, W]``."""

    row: dict[str, Any]
    maps: tuple[NDArray[np.float32], ...]


def evaluate(
    network: StereoNetwork, data: StereoDataset, *, uri: str, stage: str, mask_disparity: float = 0.0, keep: int = 0
) -> Evaluated:
    """Score every sample.

    Args:
        network: any.
        data: the test data.
        uri: written into the figures.
        stage: `dense`, `pruned` or `quantized`.
        mask_disparity: pixels with this ground truth or more are left out; 0 scores every known pixel.
        keep: how many disparity maps to keep.

    """
    return evaluate_estimates(
        functools.partial(predict, network),
        data,
        uri=uri,
        stage=stage,
        max_disparity=network.spec.max_disparity,
        mask_disparity=mask_disparity,
        keep=keep,
    )


def evaluate_estimates(
    estimate: Callable[[Tensor, Tensor], NDArray[np.float32]],
    data: StereoDataset,
    *,
    uri: str,
    stage: str,
    max_disparity: float,
    mask_disparity: float = 0.0,
    keep: int = 0,
) -> Evaluated:
    """Score whatever gives the disparity ``[H, W]`` in pixels of two views ``[3, H, W]``; the rest as `evaluate`.

    A notice says how many scored pixels lie at or beyond `max_disparity`, the largest that can be estimated.

    Where processes share a run, each scores its part of the samples and all get the same figures; the
    first has the maps.

    Raises:
        DataError: the data has no ground truth.

    """
    check_ground_truth(data, uri, "without it, `disparsity predict` gives the disparities")
    limit = mask_disparity or None
    numbers: list[list[float]] = [[0.0] * (_NUMBERS + 1) for _ in range(len(data))]
    maps = []
    for index in progress(_own_part(len(data), keep), f"evaluate {stage}"):
        sample = data[index]
        found = estimate(sample.left, sample.right)
        truth, valid = sample.disparity.numpy(), sample.valid.numpy()
        far = np.count_nonzero(valid & (truth >= max_disparity) & (truth < (limit or np.inf)))
        numbers[index] = [*image_errors(found, truth, valid, limit).numbers(), float(far)]
        if index < keep:
            maps.append(found)
    rows = distributed.total(torch.tensor(numbers, dtype=torch.float64)).tolist()
    sums, beyond = [ErrorSums.from_numbers(row[:-1]) for row in rows], int(sum(row[-1] for row in rows))
    mask = "known ground truth > 0" + (f" and < {limit:g} px" if limit else "")
    means = {f"per_image_{name}": value for name, value in per_image_mean(sums).items()}
    row = {"data": uri, "stage": stage, **pooled(sums), **means, "mask": mask, "aggregation": AGGREGATION}
    row["pixels_beyond_range"] = beyond
    if beyond:
        notice(
            f"{uri}: {beyond} of {row['pixels']} scored pixels have {max_disparity:g} px or more, which is beyond the "
            "network's range; a mask leaves them out"
        )
    return Evaluated(row=row, maps=tuple(maps))


def _own_part(samples: int, keep: int) -> list[int]:
    """The samples that this process scores; the first one takes those whose maps are kept."""
    count, rank = distributed.processes(), distributed.rank()
    return [index for index in range(samples) if (0 if index < keep else index % count) == rank]


def evaluate_all(
    network: StereoNetwork, uris: Sequence[str], *, stage: str, mask_disparity: float, pictures: int
) -> list[Evaluated]:
    """Score a network on several data sets; only the first keeps pictures."""
    return [
        evaluate(
            network,
            open_data(uri),
            uri=uri,
            stage=stage,
            mask_disparity=mask_disparity,
            keep=0 if index else pictures,
        )
        for index, uri in enumerate(uris)
    ]


def save_maps(folder: Path, maps: Iterable[NDArray[np.float32]]) -> dict[str, str]:
    """Keep disparity maps as `00.npy`, `01.npy`, ...; returns their SHA-256 by name."""
    hashes = {}
    for index, disparity in enumerate(maps):
        content = io.BytesIO()
        np.save(content, disparity)
        write_bytes(folder / f"{index:02d}.npy", content.getvalue())
        hashes[f"{index:02d}.npy"] = hashlib.sha256(content.getvalue()).hexdigest()
    return hashes


def check_maps(folder: Path, hashes: Mapping[str, str]) -> None:
    """Compare kept maps with what `save_maps` returned.

    Raises:
        CorruptArtefactError: a map is damaged.

    """
    for name, expected in hashes.items():
        path = folder / name
        if path.is_file() and sha256_of(path) != expected:
            raise CorruptArtefactError("checksum mismatch", where=path, remedy=f"remove {folder} and its .json file")


def load_panels(uri: str, dense: Path, compressed: Path) -> list[Panel]:
    """The kept maps of two stages beside the pairs that they belong to.

    Raises:
        CorruptArtefactError: a map is damaged.

    """
    data = open_data(uri)
    panels = []
    for index, path in enumerate(sorted(dense.glob("*.npy"))):
        other = compressed / path.name
        if other.is_file():
            sample = data[index]
            left = (sample.left.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
            panels.append(
                Panel(
                    id=sample.id,
                    left=left,
                    ground_truth=sample.disparity.numpy(),
                    valid=sample.valid.numpy(),
                    dense=_load_map(path),
                    compressed=_load_map(other),
                )
            )
    return panels


def _load_map(path: Path) -> NDArray[np.float32]:
    try:
        return np.load(path, allow_pickle=False).astype(np.float32, copy=False)
    except (OSError, ValueError, EOFError) as error:
        raise CorruptArtefactError("not a disparity map", where=path, found=str(error)[:120]) from error
