"""Registry of readers: the schemes of data URIs, and the options of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from disparsity.datasets.packed.reader import PackedDataset, PackedSettings
from disparsity.datasets.readers.eth3d import Eth3dSettings, eth3d, list_eth3d
from disparsity.datasets.readers.kitti import KittiSettings, kitti2012, kitti2015, list_kitti2012, list_kitti2015
from disparsity.datasets.readers.listing import Listing
from disparsity.datasets.readers.middlebury import MiddleburySettings, list_middlebury, middlebury
from disparsity.datasets.readers.plain import (
    ListSettings,
    PlainSettings,
    list_listed,
    list_plain,
    open_listed,
    open_plain,
)
from disparsity.datasets.readers.sceneflow import SceneFlowSettings, list_sceneflow, sceneflow
from disparsity.datasets.sample import StereoDataset
from disparsity.datasets.synthetic import SyntheticSettings, open_scenes


@dataclass(frozen=True, kw_only=True)
class Option:
    """One `key=value` of a reader: the settings it fills, how it is read, and what it may be."""

    fields: tuple[str, ...]
    parse: Callable[[str], tuple[Any, ...]]
    expected: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Reader:
    """One scheme: its settings, what opens them, what lists them complete or not, and its options."""

    settings: Callable[..., Any]
    open: Callable[[Any], StereoDataset]
    options: Mapping[str, Option] = field(default_factory=dict)
    needs_path: bool = True
    path_is_file: bool = False
    list: Callable[[Any], Listing] | None = None


def _whole_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ValueError(text)
    return int(text)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _scale(text: str) -> tuple[float]:
    scale = _finite(text)
    if scale <= 0:
        raise ValueError(text)
    return (scale,)


def _height_width(text: str) -> tuple[int, int]:
    height, _, width = text.partition("x")
    return _whole_number(height), _whole_number(width)


def _choice(name: str, *values: str) -> Option:
    return Option(fields=(name,), parse=lambda text: (text,), expected=" or ".join(values), choices=values)


def _whole(name: str) -> Option:
    return Option(fields=(name,), parse=lambda text: (_whole_number(text),), expected="a whole number")


def _pixels(name: str) -> Option:
    return Option(fields=(name,), parse=lambda text: (_finite(text),), expected="a finite number of pixels")


def _size(height: str, width: str) -> Option:
    return Option(fields=(height, width), parse=_height_width, expected="HxW, e.g. 96x192")


def _text(name: str, kind: Callable[[str], Any], expected: str) -> Option:
    def parse(text: str) -> tuple[Any]:
        if not text or "\0" in text:
            raise ValueError(text)
        return (kind(text),)

    return Option(fields=(name,), parse=parse, expected=expected)


_SCALE = Option(fields=("scale",), parse=_scale, expected="gray levels per pixel of disparity, above 0")
_TRUTH = _choice("ground_truth", "occ", "noc", "none")

READERS: Mapping[str, Reader] = {
    "sceneflow": Reader(
        settings=SceneFlowSettings,
        open=sceneflow,
        list=list_sceneflow,
        options={
            "subset": _choice("subset", "train", "test", "all"),
            "pass": _choice("rendering", "clean", "final"),
        },
    ),
    "kitti2012": Reader(
        settings=KittiSettings,
        open=kitti2012,
        list=list_kitti2012,
        options={"ground_truth": _TRUTH},
    ),
    "kitti2015": Reader(
        settings=KittiSettings,
        open=kitti2015,
        list=list_kitti2015,
        options={"ground_truth": _TRUTH},
    ),
    "middlebury": Reader(
        settings=MiddleburySettings,
        open=middlebury,
        list=list_middlebury,
        options={
            "ground_truth": _TRUTH,
            "resolution": _choice("resolution", "F", "H", "Q"),
            "scale": _SCALE,
        },
    ),
    "eth3d": Reader(
        settings=Eth3dSettings,
        open=eth3d,
        list=list_eth3d,
        options={"ground_truth": _TRUTH},
    ),
    "folder": Reader(
        settings=PlainSettings,
        open=open_plain,
        list=list_plain,
        options={side: _text(side, str, "a pattern with one *") for side in ("left", "right", "disparity")}
        | {"scale": _SCALE},
    ),
    "list": Reader(
        settings=ListSettings,
        open=open_listed,
        list=list_listed,
        options={"root": _text("root", lambda text: Path(text).expanduser(), "a folder"), "scale": _SCALE},
        path_is_file=True,
    ),
    "packed": Reader(
        settings=PackedSettings,
        open=PackedDataset,
        options={"sources": _choice("sources", "check", "ignore")},
        path_is_file=True,
    ),
    "synthetic": Reader(
        settings=SyntheticSettings,
        open=open_scenes,
        options={
            "pairs": _whole("pairs"),
            "size": _size("height", "width"),
            "seed": _whole("seed"),
            "max_disparity": _pixels("max_disparity"),
            "style": _choice("style", "plain", "hard"),
        },
        needs_path=False,
    ),
}
