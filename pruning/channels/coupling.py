"""Channel coupling: which channels of a network must be removed together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

KEPT = -1
"""In place of a unit: a channel that is never removed."""


class Coupling(Protocol):
    """Channels as units, numbered from 0, that are kept or removed together.

    A removed unit must be exactly zero wherever it goes once the weights and biases that make it and the scale and
    shift of every normalisation on its way are zero, and nothing else may depend on the number of channels.
    """

    @property
    def outputs(self) -> Mapping[str, Sequence[int]]:
        """By convolution or linear layer, the unit of every output channel, or `KEPT`."""
        ...

    @property
    def inputs(self) -> Mapping[str, Sequence[int]]:
        """By convolution or linear layer, the unit of every input channel, or `KEPT`."""
        ...

    @property
    def channelwise(self) -> Mapping[str, Sequence[int]]:
        """By layer with a value per channel, the unit of every channel, or `KEPT`."""
        ...

    @property
    def balanced(self) -> Sequence[Sequence[Sequence[int]]]:
        """Families of equally long groups of units: every group of a family must keep the same number."""
        ...

    @property
    def averages(self) -> Mapping[str, int]:
        """By module that averages over channels, the number of channels that it was made for."""
        ...

    @property
    def units(self) -> int:
        """How many there are."""
        ...
