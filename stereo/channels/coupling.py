"""The result of following channels: which of them must be kept or removed together."""

from __future__ import annotations

from dataclasses import dataclass

KEPT = -1
"""In place of a unit: a channel that is never removed."""


@dataclass(frozen=True, kw_only=True)
class ChannelCoupling:
    """Channels of a network as units, numbered from 0: the channels of a unit are kept or removed together.

    A removed unit is exactly zero wherever it goes, once the weights and biases that make it and the scale and shift of
    every normalisation on its way are zero. Nothing else of the network depends on how many channels there are.

    Attributes:
        outputs: by convolution or linear layer, the unit of every output channel, or `KEPT`.
        inputs: by convolution or linear layer, the unit of every input channel, or `KEPT`.
        channelwise: by layer with a value per channel (BatchNorm, PReLU), the unit of every channel, or `KEPT`.
        balanced: families of equally long groups of units: every group of a family must keep the same number.
        averages: by module that averages over channels, the number of channels that it was made for.
        obstacles: operators that could not be followed, each as ``operator at place``: their channels are kept.
        units: how many there are.

    """

    outputs: dict[str, tuple[int, ...]]
    inputs: dict[str, tuple[int, ...]]
    channelwise: dict[str, tuple[int, ...]]
    balanced: tuple[tuple[tuple[int, ...], ...], ...] = ()
    averages: dict[str, int]
    obstacles: tuple[str, ...] = ()
    units: int
