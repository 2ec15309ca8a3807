"""Published files: torch archives, read with `weights_only` here and nowhere else, and safetensors."""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy._core import multiarray

from disparsity.base.errors import CorruptArtefactError, InputError
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network
from disparsity.stereo.networks.foreign_files import check_kind, is_safetensors, objects_error, python_object_in
from disparsity.stereo.networks.reparametrizations import fold_reparametrizations
from disparsity.stereo.networks.state_checks import check_finite, check_state
from disparsity.stereo.networks.state_tables import find_table, fit_names
from disparsity.stereo.networks.stereonet import StereoNet, with_disparity_scaled
from disparsity.stereo.networks.users import AdoptedNetwork, build_user_network, is_user_network

_HARMLESS: list[Any] = [
    argparse.Namespace,
    np.ndarray,
    np.dtype,
    multiarray._reconstruct,
    multiarray.scalar,
    (multiarray._reconstruct, "numpy.core.multiarray._reconstruct"),  # as NumPy 1 wrote it
    (multiarray.scalar, "numpy.core.multiarray.scalar"),
    *{type(np.dtype(kind)) for kind in "?bBhHiIlLqQefd"},
]
"""Objects that training scripts store beside the weights and that run no code: options, scalars and arrays."""
_SCALE = 64.0


UNUSED = {"anynet": "refine_spn."}
"""By network, the first part of names that its published files hold and it does not need (AnyNet's refinement)."""


def load_published(path: Path, name: str, max_disparity: int = 0) -> StereoNetwork:
    """Build network `name`, with a maximum disparity in pixels (0: the preset's), and load a published file into it.

    Raises:
        InputError: the file is missing, is no torch archive, holds Python objects or another network; the first
            missing, unexpected and mis-shaped keys are listed.
        CorruptArtefactError: the archive is damaged.

    """
    if not path.is_file():
        raise InputError("no such checkpoint", where=path)
    network = _built(name, max_disparity)
    inner = network.network if isinstance(network, AdoptedNetwork) else network
    state = fit_names(find_table(_read_archive(path), path), inner.state_dict(), path)
    if name in UNUSED:
        state = {key: value for key, value in state.items() if not key.startswith(UNUSED[name])}
    if inner is not network:
        state = {f"network.{key}": value for key, value in state.items()}
    check_state(network.state_dict(), state, where=path, network=name)
    network.load_state_dict(state)
    fold_reparametrizations(network)
    check_finite(network, path)
    # In pixels its weights are so small beside those of colours that a filter's common step would round them away.
    return with_disparity_scaled(network, _SCALE) if isinstance(network, StereoNet) else network


def _built(name: str, max_disparity: int) -> StereoNetwork:
    changes = {"max_disparity": max_disparity} if max_disparity else {}
    return build_user_network(name, changes, fold=False) if is_user_network(name) else build_network(name, **changes)


def _read_archive(path: Path) -> Any:
    """The content of a torch archive or a safetensors file: tensors and plain values, never other objects."""
    check_kind(path)
    try:
        if is_safetensors(path):
            return safetensors.torch.load_file(path)
        with warnings.catch_warnings(), torch.serialization.safe_globals(_HARMLESS):
            warnings.simplefilter("ignore")  # a damaged header makes torch warn about pickle protocols
            return torch.load(path, map_location="cpu", weights_only=True)  # noqa: TID251 - the one reader
    except Exception as error:  # damage surfaces as anything: struct.error, IndexError, AssertionError, ...
        name = python_object_in(str(error))
        if name is not None:
            raise objects_error(path, name) from error
        what = "damaged, or not a torch archive"
        raise CorruptArtefactError(what, where=path, remedy="fetch or copy the file again") from error
