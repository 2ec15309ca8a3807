"""Channel pruning as part of a run: what stands around the pruning phase."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.finetune.training import StepHook, Trainer
from disparsity.pruning.channels.masks import silence_removed
from disparsity.pruning.channels.pattern import ChannelPattern
from disparsity.pruning.masks import attach_masks
from disparsity.stereo.network import StereoNetwork

_TOLERANCE = 1e-3
"""Relative to the largest disparity: far above what another order of summation does, far below a lost channel."""


class SilenceRemoved(StepHook):
    """Keeps the biases of removed channels at zero, which no mask is on; comes after the hook that holds the events."""

    def before_step(self, trainer: Trainer, step: int) -> None:
        """Undo what the last step did to these biases."""
        del step
        silence_removed(trainer.network)

    def finish(self, trainer: Trainer) -> None:
        """The same after the last step and the last event."""
        silence_removed(trainer.network)


def start_channels(network: StereoNetwork, layers: dict[str, nn.Module], floor_share: float) -> ChannelPattern:
    """Trace the network's coupling and attach the masks that the pattern needs.

    Args:
        network: without masks.
        layers: the prunable ones by name.
        floor_share: of its output channels, what every layer keeps.

    Raises:
        InputError: no channel of the network can be removed; the message names what stands in the way.

    """
    coupling = network.channel_coupling()
    if not coupling.units:
        raise InputError(
            "no channel of the network can be removed",
            where=network.spec.name,
            found=", ".join(coupling.obstacles) or "no coupled channels",
            remedy="prune with pattern 'element'",
        )
    pattern = ChannelPattern(network, coupling, layers, floor_share)
    attach_masks(network, pattern.masked)
    return pattern


def finish_channels(network: StereoNetwork, pattern: ChannelPattern, left: Tensor, right: Tensor) -> None:
    """Take the masked channels out of the network, which must go on computing the same.

    Args:
        network: changed in place, left in eval mode.
        pattern: that has masked it.
        left: ``[B, 3, H, W]``, the views to compare maps on.
        right: the same shape.

    Raises:
        InputError: the maps differ: something in the network depends on its channels in a way that cannot be seen.

    """
    with torch.no_grad():
        expected = network.eval()(left, right)[-1]
        pattern.remove(network)
        difference = float((network(left, right)[-1] - expected).abs().max())
    most = _TOLERANCE * max(1.0, float(expected.abs().max()))
    if not difference <= most:
        raise InputError(
            "the network computes something else without its removed channels",
            where=network.spec.name,
            found=f"disparities that differ by {difference:.3g} px",
            expected=f"at most {most:.3g} px",
            remedy="name the modules that do not work channel by channel in the spec's `uncompressed`",
        )
