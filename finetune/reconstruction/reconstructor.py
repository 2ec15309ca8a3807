"""Reconstructor of one run: targets measured once, saliencies kept from event to event."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import torch
from torch import Tensor, nn

from disparsity.datasets.batches.stream import Batch
from disparsity.finetune.reconstruction.input_power import by_filter, diagonal_saliencies
from disparsity.finetune.reconstruction.least_squares import (
    LayerTarget,
    dense_targets,
    reconstruct,
)
from disparsity.pruning.sensitivity import output_sensitivity
from disparsity.stereo.network import StereoNetwork


class Reconstructor:
    """Solves a network's layers against the dense network, and scores its weights on the way.

    Args:
        network: the network that is compressed.
        dense: the network before compression.
        batch: unlabelled calibration pairs.
        positions: output positions sampled per layer.
        ridge: pull towards the old weights, relative to the mean diagonal of the normal matrix.
        probes: pairs on which `scores` measures how the disparity reacts to a layer's output.
        seed: of sampled positions and probes.

    """

    def __init__(
        self,
        network: StereoNetwork,
        dense: StereoNetwork,
        batch: Batch,
        *,
        positions: int,
        ridge: float,
        probes: int = 1,
        seed: int,
    ) -> None:
        self._network = network
        self._dense = dense
        self._batch = batch
        self._positions, self._ridge, self._probes = positions, ridge, probes
        self._seed = seed
        self._saliencies: dict[str, Tensor] | None = None

    @cached_property
    def _targets(self) -> dict[str, LayerTarget]:
        targets = dense_targets(self._dense, self._forward, self._positions, self._seed)
        return {name: target for name, target in targets.items() if self._network.spec.compresses(name)}

    def solve(self) -> None:
        """Solve every layer in place."""
        self._saliencies = reconstruct(self._network, self._targets, self._forward, self._ridge)

    def forget(self) -> None:
        """The weights have moved since the last solution: its saliencies are out of date."""
        self._saliencies = None

    def scores(self, layers: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """Saliency of a weight within its layer times the sensitivity of the disparity to its filter's output.

        Interpretation: a block-diagonal Gauss-Newton form of Optimal Brain Surgeon, with the input covariance of the
        layer as one factor and the squared Jacobian of the disparity maps as the other (as K-FAC, Martens and
        Grosse, ICML 2015, factors the Fisher matrix). It needs no labels. Layers that cannot be solved (transposed and
        grouped convolutions) get the saliency of `diagonal_saliencies`.
        """
        saliencies = self._saliencies or reconstruct(
            self._network, self._targets, self._forward, self._ridge, solve=False
        )
        unsolved = [name for name in layers if name not in saliencies]
        saliencies = saliencies | diagonal_saliencies(self._network, unsolved, self._forward)
        generator = torch.Generator().manual_seed(self._seed)
        probes = min(self._probes, len(self._batch.ids))
        reactions = output_sensitivity(self._network, layers, self._maps, probes, generator)
        return {name: saliencies[name] * by_filter(layer, reactions[name]) for name, layer in layers.items()}

    def _forward(self, module: nn.Module) -> object:
        return module(self._batch.left, self._batch.right)

    def _maps(self, module: nn.Module, index: int) -> tuple[Tensor, ...]:
        one = slice(index, index + 1)
        return module(self._batch.left[one], self._batch.right[one])
