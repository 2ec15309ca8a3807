"""Networks of a user's own, named as ``module:callable``: built, checked and given the contract of every network.

Only names that the user writes are imported: a name that is found in a file (a checkpoint, a packed network) is
untrusted code and is refused until the user has written it too.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks.kept_tensors import keeps_tensors
from disparsity.stereo.networks.positional import call_by_position
from disparsity.stereo.networks.reparametrizations import fold_reparametrizations
from disparsity.stereo.networks.state_checks import check_finite
from disparsity.stereo.networks.user_module import check_module, checked_spec
from disparsity.stereo.spec import NetworkSpec

_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_BUILTIN = "builtin:"
_LAYER_FIELDS = ("first", "protected", "wide_inputs", "training_only", "uncompressed")
_written: set[str] = set()
_keeping: dict[tuple[type, str], bool] = {}
"""By class and name, whether a network keeps tensors outside of itself, found out once per process."""


class AdoptedNetwork(StereoNetwork):
    """A plain module behind the contract: preprocessing, padding and cropping are done around its `forward`.

    Args:
        module: from normalised views ``[B, 3, H, W]`` of a divisible size to one disparity map ``[B, H, W]`` in pixels,
            or to a sequence of them, coarse to fine.
        spec: of the module, with layers named as in the module.

    """

    def __init__(self, module: nn.Module, spec: NetworkSpec) -> None:
        names: dict[str, Any] = {
            field: tuple(f"network.{name}" for name in getattr(spec, field)) for field in _LAYER_FIELDS
        }
        super().__init__(replace(spec, **names))
        self.network = module

    def estimate(self, left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
        """What the module returns, as a tuple."""
        maps = self.network(left, right)
        return tuple(maps) if isinstance(maps, tuple | list) else (maps,)


def is_user_network(name: str) -> bool:
    """Whether a name has the form ``module:callable`` (``builtin:NAME`` has not: that is a checkpoint)."""
    return _NAME.fullmatch(name) is not None and not name.startswith(_BUILTIN) and not Path(name).exists()


def remember_written(name: str) -> None:
    """The user has written this name: files may hold it from now on."""
    _written.add(name)


def check_written(name: str, where: str | Path | None = None) -> None:
    """Refuse a name found in a file if it would run code that the user has not named.

    Raises:
        InputError: it is a ``module:callable`` that the user has not written.

    """
    if is_user_network(name) and name not in _written:
        raise InputError(
            "the file holds a user's network whose code is not trusted yet",
            where=where,
            found=name,
            remedy=f"if you trust that code, add --network {name}",
        )


def build_user_network(name: str, settings: Mapping[str, Any], *, fold: bool = True) -> StereoNetwork:
    """Import the module, call the callable with the settings, check what it returns.

    Args:
        name: ``module:callable``; the callable returns a `StereoNetwork`, or a torch module with a `NetworkSpec` as its
            attribute `spec`. The spec's settings are what the callable is called with to build the same network again.
        settings: keyword arguments of the callable.
        fold: replace reparametrized weights by plain ones; without, a state dict of the module as it was trained fits.

    Returns:
        the network; the name in its spec is `name`.

    Raises:
        InputError: the import or the call fails, or the result does not keep the contract.

    """
    network = adopted_network(_call(_import(name), name, settings), name)
    if fold:
        fold_reparametrizations(network)
        check_finite(network, name)
    network.spec = replace(network.spec, name=name)
    return network


def adopted_network(module: object, where: str | None = None) -> StereoNetwork:
    """A module with a spec as a network: itself if it is one, else behind the contract of one.

    Raises:
        InputError: it is no torch module, has no `NetworkSpec` as its attribute `spec`, or one that does not fit it.

    """
    spec = getattr(module, "spec", None)
    if not isinstance(module, nn.Module) or not isinstance(spec, NetworkSpec):
        raise InputError(
            "not a stereo network",
            where=where,
            found=f"{type(module).__name__} with a spec of type {type(spec).__name__}",
            expected="a StereoNetwork, or a torch module whose attribute `spec` is a NetworkSpec",
        )
    where = where or spec.name
    check_module(module, where)
    spec = checked_spec(spec, where)
    network = module if isinstance(module, StereoNetwork) else AdoptedNetwork(module, spec)
    network.spec = spec if network is module else network.spec
    network.users_own = True
    _check_layers(network, where)
    call_by_position(network)
    code = type(module), where
    if code not in _keeping:
        _keeping[code] = keeps_tensors(network, spec.divisor)
    network.needs_values = _keeping[code]
    return network


def _import(name: str) -> Any:
    module_name, _, attribute = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # whatever a user's file does when it is run
        raise InputError(
            f"cannot import {module_name}",
            where=name,
            found=f"{type(error).__name__}: {error}",
            remedy="put the folder that holds it on PYTHONPATH"
            if isinstance(error, ModuleNotFoundError) and error.name in (module_name, module_name.split(".")[0])
            else None,
        ) from error
    found = getattr(module, attribute, None)
    if not callable(found):
        raise InputError(f"{module_name} has no callable '{attribute}'", where=name, found=type(found).__name__)
    return found


def _call(function: Any, name: str, settings: Mapping[str, Any]) -> Any:
    try:
        return function(**settings)
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            "the network cannot be built", where=name, found=f"{type(error).__name__}: {error}, with {dict(settings)}"
        ) from error


def _check_layers(network: StereoNetwork, name: str) -> None:
    layers = dict(network.named_modules())
    unknown = [layer for field in _LAYER_FIELDS for layer in getattr(network.spec, field) if layer not in layers]
    if unknown:
        raise InputError("the spec names layers that the network does not have", where=name, found=unknown)
