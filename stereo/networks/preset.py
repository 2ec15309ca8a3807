"""A preset: literals on top of one network's settings, open to changes of single settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from disparsity.base.errors import InputError
from disparsity.stereo.network import StereoNetwork

Preset = Callable[..., StereoNetwork]


def preset(network: Callable[[Any, str], StereoNetwork], settings: Any, name: str, **literals: Any) -> Preset:
    """A builder of `network` under `name`.

    Args:
        network: called with the settings and the name.
        settings: the settings' dataclass.
        name: as in `disparsity list networks`.
        literals: the settings in which the preset differs from the dataclass's defaults.

    """

    def build(**changes: Any) -> StereoNetwork:
        values = literals | changes
        known = list(settings.__dataclass_fields__)
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise InputError(f"unknown setting of network {name}", found=unknown, expected=known)
        return network(settings(**values), name)

    return build
