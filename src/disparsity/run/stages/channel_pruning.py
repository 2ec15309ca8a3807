"""Channel pruning in a run: the steps before and after the pruning phase."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from disparsity.base.errors import InputError
from disparsity.finetune.training import StepHook, Trainer
from disparsity.pruning.channels.masks import silence_removed
from disparsity.pruning.channels.pattern import ChannelPattern
from disparsity.pruning.masks import attach_masks, set_masks, zero_pruned
from disparsity.pruning.prunable import prunable_layers
from disparsity.pruning.scores.magnitude import magnitude_scores
from disparsity.run.stages.layer_bits import compressed_layers
from disparsity.stereo.network import StereoNetwork

_TOLERANCE = 1e-3
"""Relative to the largest disparity: far above what another order of summation does, far below a lost channel."""


_FAILURES = (RuntimeError, ValueError, TypeError, IndexError, AssertionError)
_REMEDY = "prune with pattern 'element', or name what does not work channel by channel in the spec's `uncompressed`"


class SilenceRemoved(StepHook):
    """Keeps the biases of removed channels at zero, which no mask is on; comes after the hook that holds the events."""

    def before_step(self, trainer: Trainer, step: int) -> None:
        """Undo what the last step did to these biases."""
        del step
        silence_removed(trainer.network)

    def finish(self, trainer: Trainer) -> None:
        """The same after the last step and the last event."""
        silence_removed(trainer.network)


def try_channels(network: StereoNetwork, floor_fraction: float, sparsity: float, left: Tensor, right: Tensor) -> None:
    """Remove channels from a copy, by the size of their weights, to see before any training that it works.

    Args:
        network: without masks; not changed.
        floor_fraction: of its output channels, what every layer keeps.
        sparsity: of the prunable weights, at the end of the stage.
        left: ``[B, 3, H, W]``, as in training.
        right: the same shape.

    Raises:
        InputError: as `start_channels` and `finish_channels`.

    """
    trial = copy.deepcopy(network)
    layers = compressed_layers(trial, prunable_layers(trial, trial.spec.protected))
    pattern = start_channels(trial, layers, floor_fraction, (left.shape[-2], left.shape[-1]))
    set_masks(trial, pattern.select(magnitude_scores(layers), 1.0 - sparsity))
    zero_pruned(trial)
    silence_removed(trial)
    finish_channels(trial, pattern, left, right)


def start_channels(
    network: StereoNetwork, layers: dict[str, nn.Module], floor_fraction: float, size: tuple[int, int] | None = None
) -> ChannelPattern:
    """Trace the network's coupling and attach the masks that the pattern needs.

    Args:
        network: without masks.
        layers: the prunable ones by name.
        floor_fraction: of its output channels, what every layer keeps.
        size: height and width of the views in training; None takes the smallest views.

    Raises:
        InputError: no channel of the network can be removed; the message names what stands in the way.

    """
    try:
        coupling = network.channel_coupling(size)
    except _FAILURES as error:
        raise _unfit(network, "the network's channels cannot be followed", error) from error
    if not coupling.units:
        raise InputError(
            "no channel of the network can be removed",
            where=network.spec.name,
            found=", ".join(coupling.obstacles) or "no coupled channels",
            remedy="prune with pattern 'element'",
        )
    pattern = ChannelPattern(network, coupling, layers, floor_fraction)
    attach_masks(network, pattern.masked)
    return pattern


def finish_channels(network: StereoNetwork, pattern: ChannelPattern, left: Tensor, right: Tensor) -> None:
    """Take the masked channels out of the network, whose outputs must stay the same.

    Args:
        network: changed in place, left in eval mode.
        pattern: that has masked it.
        left: ``[B, 3, H, W]``, the views to compare maps on.
        right: the same shape.

    Raises:
        InputError: the maps differ, or there are none: something in the network depends on its channels in a way that
            cannot be seen.

    """
    with torch.no_grad():
        expected = network.eval()(left, right)[-1]
        pattern.remove(network)
        try:
            difference = float((network(left, right)[-1] - expected).abs().max())
        except _FAILURES as error:
            raise _unfit(network, "the network does not run without its removed channels", error) from error
    most = _TOLERANCE * max(1.0, float(expected.abs().max()))
    if not difference <= most:
        raise InputError(
            "the network computes something else without its removed channels",
            where=network.spec.name,
            found=f"disparities that differ by {difference:.3g} px",
            expected=f"at most {most:.3g} px",
            remedy=_REMEDY,
        )


def _unfit(network: StereoNetwork, what: str, error: Exception) -> InputError:
    """A network that stops with an exception of its own, as one line."""
    found = f"{type(error).__name__}: {error}".splitlines()[0][:160].removesuffix(": ")
    return InputError(what, where=network.spec.name, found=found, remedy=_REMEDY)
