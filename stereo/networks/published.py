"""Published `.tar` and `.pth` files: the only place that reads torch archives, weights only, with no fallback."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from disparsity.base.errors import CorruptArtefactError, InputError
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network
from disparsity.stereo.networks.stereonet import StereoNet, with_disparity_scaled
from disparsity.stereo.networks.users import AdoptedNetwork

_STATE_KEYS = ("model_state_dict", "state_dict", "model")
_LISTED = 5
_SCALE = 64.0


def _as_published(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix("module."): value for name, value in state.items()}


def _without_propagation(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The published AnyNets all carry the refinement's weights; the preset `anynet` has no use for them."""
    return {name: value for name, value in _as_published(state).items() if not name.startswith("refine_spn.")}


KEY_MAPS: dict[str, Callable[[Mapping[str, Tensor]], dict[str, Tensor]]] = {
    "stereonet": _as_published,
    "anynet": _without_propagation,
    "anynet_spn": _as_published,
}
"""How the names in a published file become those of a preset."""


def load_published(path: Path, name: str) -> StereoNetwork:
    """Build network `name` and load a published file into it.

    Raises:
        InputError: the file is missing, or holds another network; the first missing, unexpected and
            mis-shaped keys are listed.
        CorruptArtefactError: the file cannot be read as plain tensors.

    """
    if not path.is_file():
        raise InputError("no such checkpoint", where=path)
    network = build_network(name)
    state = KEY_MAPS.get(name, _as_published)(_read_state(path))
    if isinstance(network, AdoptedNetwork):
        state = {f"network.{key}": value for key, value in state.items()}
    check_state(network.state_dict(), state, where=path, network=name)
    network.load_state_dict(state)
    # In pixels its weights are so small beside those of colours that a filter's common step would round them away.
    return with_disparity_scaled(network, _SCALE) if isinstance(network, StereoNet) else network


def check_state(expected: Mapping[str, Tensor], found: Mapping[str, Tensor], *, where: Path, network: str) -> None:
    """Refuse a state whose names or shapes are not those of the network, listing the first few differences."""
    missing = [name for name in expected if name not in found and not name.endswith("num_batches_tracked")]
    unexpected = [name for name in found if name not in expected]
    shaped = [
        f"{name} {tuple(found[name].shape)} for {tuple(expected[name].shape)}"
        for name in expected
        if name in found and found[name].shape != expected[name].shape
    ]
    shaped += [
        f"{name} {found[name].dtype} for {expected[name].dtype}"
        for name in expected
        if name in found and _kind(found[name]) != _kind(expected[name])
    ]
    if missing or unexpected or shaped:
        raise InputError(
            f"not a checkpoint of network '{network}'",
            where=where,
            found=f"missing {missing[:_LISTED]}, unexpected {unexpected[:_LISTED]}, mis-shaped {shaped[:_LISTED]}",
            expected=f"{len(expected)} tensors",
            remedy="name the network that the file belongs to with --network",
        )


def _kind(tensor: Tensor) -> str:
    """Floats of all widths are one kind; a copy of an integer or a bool would pass for a weight."""
    return "float" if tensor.is_floating_point() else str(tensor.dtype)


def _read_state(path: Path) -> Mapping[str, Tensor]:
    content = _read_archive(path)
    for key in _STATE_KEYS:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items()
    ):
        raise CorruptArtefactError("no table of tensors in this file", where=path, expected=" or ".join(_STATE_KEYS))
    return content


def _read_archive(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a damaged header makes torch warn about pickle protocols
            return torch.load(path, map_location="cpu", weights_only=True)  # noqa: TID251 - the one reader
    except Exception as error:  # damage surfaces as anything: struct.error, IndexError, AssertionError, ...
        raise CorruptArtefactError(
            "cannot be read as plain tensors", where=path, found=str(error).split("\n", maxsplit=1)[0][:120]
        ) from error
