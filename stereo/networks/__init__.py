"""Named presets: each only a literal on top of one network file."""

from __future__ import annotations

import difflib
from typing import Any

from disparsity.base.errors import InputError
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks.anynet import AnyNet, AnyNetSettings
from disparsity.stereo.networks.dispnetc import DispNetC, DispNetCSettings
from disparsity.stereo.networks.gcnet import GCNet, GCNetSettings
from disparsity.stereo.networks.gwcnet import GwcNet, GwcNetSettings
from disparsity.stereo.networks.mobilestereonet2d import MobileStereoNet2d, MobileStereoNet2dSettings
from disparsity.stereo.networks.preset import Preset, preset
from disparsity.stereo.networks.psmnet import PSMNetBasic, PSMNetHourglass, PSMNetSettings
from disparsity.stereo.networks.stereonet import StereoNet, StereoNetSettings
from disparsity.stereo.networks.users import build_user_network, is_user_network

NETWORKS: dict[str, Preset] = {
    "reference": preset(
        StereoNet,
        StereoNetSettings,
        "reference",
        halvings=3,
        width=48,
        refinement_width=16,
        max_disparity=48,
        disparity_scale=16.0,
    ),
    "stereonet": preset(StereoNet, StereoNetSettings, "stereonet", halvings=4),
    "stereonet_8x": preset(StereoNet, StereoNetSettings, "stereonet_8x", halvings=3),
    "anynet": preset(AnyNet, AnyNetSettings, "anynet"),
    "anynet_spn": preset(AnyNet, AnyNetSettings, "anynet_spn", propagation=8),
    "psmnet_basic": preset(PSMNetBasic, PSMNetSettings, "psmnet_basic"),
    "psmnet_hourglass": preset(PSMNetHourglass, PSMNetSettings, "psmnet_hourglass"),
    "psmnet_sceneflow_2018": preset(PSMNetHourglass, PSMNetSettings, "psmnet_sceneflow_2018", output_factor=1.17),
    "psmnet_sceneflow_2021": preset(PSMNetHourglass, PSMNetSettings, "psmnet_sceneflow_2021", align_corners=False),
    "gwcnet_g": preset(GwcNet, GwcNetSettings, "gwcnet_g"),
    "gwcnet_gc": preset(GwcNet, GwcNetSettings, "gwcnet_gc", concat_width=12),
    "gcnet": preset(GCNet, GCNetSettings, "gcnet"),
    "mobilestereonet_2d": preset(MobileStereoNet2d, MobileStereoNet2dSettings, "mobilestereonet_2d"),
    "dispnetc": preset(DispNetC, DispNetCSettings, "dispnetc"),
}


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
    if name not in NETWORKS:
        near = difflib.get_close_matches(name, NETWORKS, n=1)
        raise InputError(
            f"unknown network '{name}'",
            expected=", ".join(NETWORKS),
            remedy=f"did you mean '{near[0]}'?" if near else None,
        )
    return NETWORKS[name](**changes)
