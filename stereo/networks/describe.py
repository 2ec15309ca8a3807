"""A line about each preset, read off the network itself."""

from __future__ import annotations

import torch
from torch import nn

from disparsity.stereo.networks import build_network

_VOLUMES = "disparsity.stereo.volumes."


def describe_network(name: str) -> str:
    """Parameters at the default settings, largest disparity, kinds of cost volume; nothing is initialised for that."""
    with torch.device("meta"):
        network = build_network(name)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    kinds = " and ".join(volume_kinds(network)) or "no"
    return f"{parameters:>10,} parameters, disparities to {network.spec.max_disparity}, {kinds} volume"


def volume_kinds(network: nn.Module) -> list[str]:
    """The cost volumes inside a network, each named as its file in `stereo/volumes`, in order of definition."""
    files = [type(module).__module__ for module in network.modules()]
    return list(dict.fromkeys(file.removeprefix(_VOLUMES) for file in files if file.startswith(_VOLUMES)))
