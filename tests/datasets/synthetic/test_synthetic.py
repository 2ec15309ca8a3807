"""Synthetic scenes as a data set: the sample contract, determinism, refusals."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import torch

from disparsity.base.errors import InputError
from disparsity.datasets.sample import Sample
from disparsity.datasets.synthetic import SyntheticDataset, SyntheticSettings
from disparsity.datasets.uri import open_data


def dataset(**changes: Any) -> SyntheticDataset:
    return SyntheticDataset(SyntheticSettings(**({"pairs": 3, "height": 32, "width": 48} | changes)))


def same(first: Sample, second: Sample) -> bool:
    names = ("left", "right", "disparity", "valid")
    return all(torch.equal(getattr(first, name), getattr(second, name)) for name in names)


def test_sample_contract() -> None:
    for number, sample in enumerate(dataset(seed=7)):
        assert sample.left.shape == sample.right.shape == (3, 32, 48)
        assert sample.disparity.shape == sample.valid.shape == (32, 48)
        assert {sample.left.dtype, sample.right.dtype, sample.disparity.dtype} == {torch.float32}
        assert sample.valid.dtype == torch.bool
        assert bool(sample.valid.all())
        assert sample.id == f"synthetic/7/{number:06d}"
        assert sample.left.is_contiguous()


def test_same_seed_same_bits_in_any_order_and_other_seeds_or_indices_differ() -> None:
    first, second = dataset(), dataset()
    backwards = [second[index] for index in (2, 1, 0)][::-1]
    assert all(same(a, b) for a, b in zip(first, backwards, strict=True))
    assert not same(first[0], first[1])
    assert not same(first[0], dataset(seed=1)[0])


def test_number_of_pairs_does_not_change_the_scenes() -> None:
    assert same(dataset(pairs=3)[1], dataset(pairs=300)[1])


@pytest.mark.slow
def test_another_process_makes_the_same_bits() -> None:
    code = (
        "import hashlib; from disparsity.datasets.uri import open_data;"
        "s = open_data('synthetic:?pairs=1&size=32x48&seed=3')[0];"
        "print(hashlib.sha256(s.left.numpy().tobytes() + s.disparity.numpy().tobytes()).hexdigest())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]


def test_ids_length_fingerprint_and_bounds() -> None:
    scenes = dataset(seed=2)
    assert len(scenes) == 3
    assert scenes.ids() == [sample.id for sample in scenes]
    assert scenes.fingerprint() == dataset(seed=2).fingerprint()
    assert scenes.fingerprint() != dataset(seed=3).fingerprint()
    for index in (3, -1):
        with pytest.raises(IndexError):
            scenes[index]


def test_uri_opens_the_same_scenes() -> None:
    opened = open_data("synthetic:?pairs=2&size=32x48&seed=4&max_disparity=20")
    assert same(opened[1], dataset(pairs=2, seed=4, max_disparity=20.0)[1])
    assert float(opened[1].disparity.max()) < 20


@pytest.mark.parametrize(
    "changes",
    [{"style": "easy"}, {"pairs": 0}, {"height": 15}, {"width": 8}, {"seed": -1}]
    + [{"max_disparity": float(value)} for value in ("7.9", "nan", "inf")],
)
def test_impossible_settings_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="impossible synthetic scenes; found"):
        dataset(**changes)


def test_hard_scenes_are_others_and_the_plain_ones_keep_their_fingerprint() -> None:
    hard = dataset(style="hard", seed=2)
    assert not same(hard[0], dataset(seed=2)[0])
    assert same(hard[0], open_data("synthetic:?pairs=3&size=32x48&seed=2&style=hard")[0])
    assert hard[0].id == hard.ids()[0] == "synthetic-hard/2/000000"
    assert hard.fingerprint() != dataset(seed=2).fingerprint()
    assert dataset(seed=2).fingerprint() == "e95c1c97d3f2fb84"
