"""Overlap of two data sets: samples that are in both, such as test samples that are trained on."""

from __future__ import annotations

import os

import torch

from disparsity.datasets.sample import StereoDataset, files_of


def shared_samples(first: StereoDataset, second: StereoDataset) -> list[str]:
    """The ids in `second` of samples that are in `first` too.

    A sample is the same if its left view is the same file; or if it has the same id and the first pair of samples with
    the same id has the same left view, bit by bit: scenes of one seed, a copy of a folder, packed data.
    """
    places = {id: index for index, id in enumerate(first.ids())}
    ids = second.ids()
    common = [(places[id], index) for index, id in enumerate(ids) if id in places]
    if common and torch.equal(first[common[0][0]].left, second[common[0][1]].left):
        return [ids[index] for _, index in common]
    lefts = {_left_file(first, index) for index in range(len(first))} - {None}
    return [id for index, id in enumerate(ids) if lefts and _left_file(second, index) in lefts]


def _left_file(data: StereoDataset, index: int) -> str | None:
    return next((os.path.abspath(path) for path in files_of(data, index)), None)
