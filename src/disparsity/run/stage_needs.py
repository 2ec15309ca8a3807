"""Needs of stages: whether each finds a network in the state that it works on, known before the first one starts."""

from __future__ import annotations

from collections.abc import Sequence

from disparsity.base.errors import InputError
from disparsity.checkpoint.restore import is_quantized
from disparsity.recipe.stages import StageKind
from disparsity.stereo.network import StereoNetwork


def check_needs(stages: Sequence[StageKind], network: StereoNetwork) -> None:
    """Refuse a network that one of the stages could not take.

    Args:
        stages: in order.
        network: that the first one starts from.

    Raises:
        InputError: a stage would quantize a network that is quantized, or needs quantizers where there are none.

    """
    quantized = is_quantized(network)
    for stage in stages:
        if stage.quantizes and quantized:
            found, expected = "a quantized network", "a dense or pruned one, in float"
            raise InputError("the network is quantized already", where=stage.name, found=found, expected=expected)
        if stage.needs_quantizers and not quantized:
            remedy = "quantize it first: with a section [quantize], or from a quantized checkpoint"
            raise InputError("the network has no quantizers", where=stage.name, remedy=remedy)
        quantized = quantized or stage.quantizes
