"""Networks as benchmarks compress them: without training, by the package's own steps."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from disparsity.pruning.masks import attach_masks, set_masks, zero_pruned
from disparsity.pruning.selection import FloorSettings, Scores, select_global
from disparsity.quant.activations.calibration import calibrate
from disparsity.quant.attach import attach_quantizers
from disparsity.quant.finalise import finalise
from disparsity.quant.folding.batch_norm import fold_batchnorm
from disparsity.quant.layer_bits import uniform_bits
from disparsity.quant.settings import BitSettings
from disparsity.stereo.network import StereoNetwork

SPLITS = Path(__file__).parents[2] / "recipes/splits/anynet_kitti2015"


def pruned(network: StereoNetwork, scores: Scores, sparsity: float) -> StereoNetwork:
    """A copy with the weights of the lowest scores at zero."""
    result = copy.deepcopy(network)
    attach_masks(result, scores)
    set_masks(result, select_global(scores, 1 - sparsity, FloorSettings()))
    zero_pruned(result)
    return result


def rounded(
    network: StereoNetwork, widths: tuple[int, int], batches: Sequence[tuple[Tensor, ...]], *, every_layer: bool = False
) -> StereoNetwork:
    """A copy with weights and inputs of these widths: BatchNorm folded, calibrated, nothing trained.

    Args:
        network: in eval mode.
        widths: bits of weights and of inputs.
        batches: pairs that calibrate.
        every_layer: also the first and the protected layers have these widths.

    """
    result, spec = copy.deepcopy(network), network.spec
    fold_batchnorm(result, batches[0])
    settings = BitSettings(weight_bits=widths[0], activation_bits=widths[1])
    first, protected, wide = ((),) * 3 if every_layer else (spec.first, spec.protected, spec.wide_inputs)
    bits = uniform_bits(result, settings, first=first, protected=protected, wide_inputs=wide)
    attach_quantizers(result, {name: each for name, each in bits.items() if spec.compresses(name)})
    calibrate(result, batches)
    finalise(result)
    return result
