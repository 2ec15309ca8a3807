"""Data checks before a run: ground truth where it is needed, pixels out of reach, test samples that are trained on."""

from __future__ import annotations

import math

import torch

from disparsity.base.errors import DataError
from disparsity.base.notices import notice
from disparsity.datasets.overlap import shared_samples
from disparsity.datasets.sample import Sample, StereoDataset, check_ground_truth, has_ground_truth
from disparsity.datasets.uri import open_data
from disparsity.recipe.recipe import Recipe
from disparsity.stereo.network import StereoNetwork

_LOOKED_AT = 4
"""Training pairs per data set whose ground truth is looked at: enough to see a wrong unit or a small network."""


def check_data(recipe: Recipe, network: StereoNetwork) -> None:
    """Refuse data without the ground truth that a recipe uses; say what else may mislead.

    Raises:
        DataError: test data has no ground truth, or training data has none and a stage has no other loss.

    """
    train = {uri: open_data(uri) for uri in recipe.data.train}
    limit = min(network.spec.max_disparity, recipe.data.mask_disparity or math.inf)
    for uri, data in train.items():
        _check_labels(recipe, uri, data)
        _notice_out_of_reach(uri, data, limit)
    _check_usable(recipe, train, limit)
    for uri in recipe.data.test:
        test = open_data(uri)
        check_ground_truth(test, uri, "data.test is scored: name pairs with disparity maps")
        for other, data in train.items():
            _notice_overlap(other, data, uri, test)


def _supervised_phase(recipe: Recipe) -> str | None:
    """The key of a training phase that has no other loss than the ground truth's, if there is one."""
    for key, phase in recipe.phases.items():
        teaching = max(phase.teacher.weight, phase.teacher.volume_weight) > 0
        trains = phase.steps > 0 or key == "prune.train"  # its loss also scores the weights
        if trains and phase.supervised_weight > 0 and not teaching and phase.photometric is None:
            return key
    return None


def _check_labels(recipe: Recipe, uri: str, data: StereoDataset) -> None:
    key = _supervised_phase(recipe)
    if key is not None and not has_ground_truth(data):
        remedy = f"train without it: {key}.supervised_weight = 0 and {key}.teacher = dense"
        raise DataError("the pairs have no ground truth", where=uri, expected="disparity maps", remedy=remedy)


def _check_usable(recipe: Recipe, train: dict[str, StereoDataset], limit: float) -> None:
    """Refuse labels of which none can be trained on: their loss is zero, and so is every score."""
    key = _supervised_phase(recipe)
    if key is None or any(_is_usable(data[index], limit) for data in train.values() for index in range(len(data))):
        return
    raise DataError(
        "no training pixel has a usable disparity",
        where=", ".join(train),
        expected=f"known disparities below {limit:g} px",
        remedy=f"use other pairs or a network of a larger range, or {key}.supervised_weight = 0 with a teacher",
    )


def _is_usable(sample: Sample, limit: float) -> bool:
    return bool((sample.valid & (sample.disparity < limit)).any())


def _notice_out_of_reach(uri: str, data: StereoDataset, limit: float) -> None:
    """Ground truth that the network cannot reach is left out of the loss."""
    if not has_ground_truth(data):
        return
    step = max(1, len(data) // _LOOKED_AT)
    samples = [data[index] for index in range(0, len(data), step)[:_LOOKED_AT]]
    known = torch.cat([sample.disparity[sample.valid] for sample in samples])
    beyond = int((known >= limit).sum())
    if beyond:
        notice(
            f"{uri}: {100 * beyond / len(known):.2g} % of the known pixels of {len(samples)} pairs, up to "
            f"{float(known.max()):g} px, are not trained on: the limit is {limit:g} px"
        )


def _notice_overlap(train_uri: str, train: StereoDataset, test_uri: str, test: StereoDataset) -> None:
    shared = shared_samples(train, test)
    if shared:
        notice(
            f"{len(shared)} of {len(test)} samples of {test_uri} are trained on, as part of {train_uri}: {shared[0]}"
        )
