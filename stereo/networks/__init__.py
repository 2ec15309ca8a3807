"""Networks by name: each preset is a literal at the end of its network's file."""

from __future__ import annotations

from typing import Any

from disparsity.registries import check_name, load_all
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks.preset import Preset
from disparsity.stereo.networks.users import build_user_network, is_user_network

NETWORKS: dict[str, Preset] = load_all("networks")


def build_network(name: str, **changes: Any) -> StereoNetwork:
    """A freshly initialised network from its name; `changes` override single settings.

    Args:
        name: of a preset, or ``module:callable`` for a network of the caller's own.
        changes: settings.

    Raises:
        InputError: the name or a setting is unknown; the message names the nearest valid one.

    """
    if is_user_network(name):
        return build_user_network(name, changes)
    check_name(name, NETWORKS, "networks")
    return NETWORKS[name](**changes)
