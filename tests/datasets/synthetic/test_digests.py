"""Same URI, same bits as ever: SHA-256 of scenes as they were first drawn, when the reference network was trained."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
import pytest
import torch

from disparsity.datasets.uri import open_data

ARITHMETIC = "062d284467a39a89"
"""Of the libraries' own rounding on the machine where the scenes below were drawn (x86 with AVX2)."""

SCENES = {
    (
        "synthetic:?pairs=1000&size=96x192&seed=1&max_disparity=48",
        0,
    ): "2a5b0ca31aaf2fe068e9c64bff2a30420f80c40124a8d268028837634ee5967c",
    (
        "synthetic:?pairs=1000&size=96x192&seed=1&max_disparity=48",
        1,
    ): "8aa3fb7f5d4ba5fc7383e6fa3de64f070f53901b659ac392bbc0eb7e9f7b733a",
    (
        "synthetic:?pairs=1000&size=96x192&seed=1&max_disparity=48",
        2,
    ): "c66631cf3304fea4c2ad6f766cb01dd867830af38280435ae0692a2651b3e7d0",
    (
        "synthetic:?pairs=1000&size=96x192&seed=1&max_disparity=48",
        17,
    ): "ca3234bf0b9e1d6cccb61e89b5dc732094f64603792e0c9dbfdcb16762970bb8",
    (
        "synthetic:?pairs=1000&size=96x192&seed=1&max_disparity=48",
        500,
    ): "598d34fbbdc598e04efc4a64c5de299859a361005b87cfa5f7168a33a458e4e6",
    (
        "synthetic:?pairs=1000&size=96x192&seed=1&max_disparity=48",
        999,
    ): "7bd61d82557a6cf4a4945f20c8717ac909ed49e8a0cd846e9f146f916fe2b787",
    (
        "synthetic:?pairs=60&size=96x192&seed=1000&max_disparity=48",
        0,
    ): "dc05d353d64e823a4106aee8d8931049649063ed718899248fc7a335fd983a93",
    (
        "synthetic:?pairs=60&size=96x192&seed=1000&max_disparity=48",
        59,
    ): "f4835ca2bd44fbbf9d144f149734aaa4af386f233885b7fccb40b21b25f48ee2",
    ("synthetic:", 0): "e3d478c8cffefb7613eb7770095a57625d95040c65a6097ebbe89230c8c1d636",
    ("synthetic:", 319): "3ccf8719d5d3ca8d63b4470dd9b2533dd6cf7f93669b2941126f3f429268990e",
    (
        "synthetic:?pairs=3&size=32x64&seed=1&max_disparity=16",
        0,
    ): "e64f03225bb82ecd89edff3977fa2f3f5540abd1fcb794b673d9067f8a88eacf",
    (
        "synthetic:?pairs=3&size=32x64&seed=1&max_disparity=16",
        1,
    ): "c374ec9f3429a909a1c5de0b639e6ce41a110eddf8e813213d15aa986afed5f8",
    (
        "synthetic:?pairs=3&size=32x64&seed=1&max_disparity=16",
        2,
    ): "a2bbb22c943a7fd3987c4d1726288f1ab29ce23d5ecf229a9eac49e5b2cdfd66",
    (
        "synthetic:?pairs=2&size=16x16&seed=0&max_disparity=8",
        0,
    ): "9d1216d555a87cd9e77e10145e15571e067879901dff3bf57e3bb561355b6bdf",
    (
        "synthetic:?pairs=2&size=16x16&seed=0&max_disparity=8",
        1,
    ): "73374f045924e2e8500c63f9dfb5bff42c9e1c0508b0ff4258d8c71134e5a6c9",
    (
        "synthetic:?pairs=2&size=131x257&seed=7&max_disparity=31.5",
        0,
    ): "19d713ecf0bd44904c0dc294deae290deecc2804f5553cca237bee27637dbdd0",
    (
        "synthetic:?pairs=2&size=131x257&seed=7&max_disparity=31.5",
        1,
    ): "250276406e41cbb25d47e305db7e314f2d30446e635f9a29df545b7dd3fa6949",
    (
        "synthetic:?pairs=2&size=540x960&seed=3&max_disparity=192",
        0,
    ): "eb724049034bc6978a2959c027f299813b64f1a3e658392eb8c212211ef7e66a",
    (
        "synthetic:?pairs=2&size=540x960&seed=3&max_disparity=192",
        1,
    ): "414ce96ba97f1a9ac0a03417baf8501635e6c9a795d6238a089857be6313e965",
    (
        "synthetic:?pairs=2&size=700x300&seed=5&max_disparity=300",
        0,
    ): "5b7b030706a3657c06d76d2dedd874e256093a4061e6a1a11c683de5006370d8",
}


def arithmetic() -> str:
    """A digest of what numpy, OpenCV and torch make of a few numbers, which decides the last bits of a scene."""
    values = (np.arange(192, dtype=np.float32).reshape(8, 8, 3) * np.float32(0.37)) % np.float32(1.7)
    grown = cv2.resize(values, (64, 64), interpolation=cv2.INTER_CUBIC)
    moved = cv2.remap(grown, grown[..., 0] * 9 + 7, grown[..., 1] * 11 + 8, cv2.INTER_LINEAR)
    fused = torch.addcmul(*(torch.from_numpy(part) for part in (moved, moved[::-1].copy(), grown)))
    outlines = np.abs(grown) ** 6.0 + np.sin(grown.astype(float))
    drawn = np.random.default_rng(0).standard_normal(9)
    parts = (grown, moved, fused.numpy(), outlines, cv2.GaussianBlur(grown, (0, 0), 0.6), drawn)
    return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()[:16]


def digest(uri: str, index: int) -> str:
    sample = open_data(uri)[index]
    tensors = (sample.left, sample.right, sample.disparity, sample.valid)
    return hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in tensors)).hexdigest()


@pytest.mark.parametrize(("uri", "index"), list(SCENES))
def test_scenes_have_the_bits_of_the_first_version(uri: str, index: int) -> None:
    if arithmetic() != ARITHMETIC:
        pytest.skip("numpy, OpenCV or torch round differently on this machine")
    assert digest(uri, index) == SCENES[uri, index]
