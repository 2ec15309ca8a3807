"""Transform quantization: a weight stored as two integer factors, in a basis in which errors are independent.

The weight, with the mixed axis in front ``M [n, N]``, is ``M = S T``: T has 0 to 8 bits a row and power-of-two steps, S
is an integer matrix. Layers compute with the product, which is exact in float64 and rounded once to float32, so that
every machine gets the same bits: what is saved is storage, not arithmetic. `side` says which axis is mixed: `row`, the
input channels, as if a 1x1 convolution stood before the layer, or `column`, the output channels, behind.

It starts in the KLT basis with equal sensitivities; `disparsity.quant.transforms.fitting` turns it to the ELT of the
network's own gradients and chooses steps by the distortion of the output. A transform mixes zeros with the rest:
pruned layers are refused, and sparsity comes from rows without bits.

Source: Young et al., Transform Quantization for CNN Compression, TPAMI 2021. Interpretation: S has one width and is
rounded before T is computed with its inverse, so that only T's errors are left; S stays as it is in training, where T
is computed again from the trained weight, straight through its rounding.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from disparsity.base.errors import InputError
from disparsity.quant.grids.levels import Levels
from disparsity.quant.quantizers.base import WeightQuantizer
from disparsity.quant.quantizers.settings import TransformSettings
from disparsity.quant.transforms.bases import elt, klt
from disparsity.quant.transforms.rates import MOST_BITS, RowGrids, choose_grids

_EXPONENT_SPAN = 24
"""Powers of two that a product may reach down to below the largest, so that float64 holds every sum exactly."""


class TransformWeight(WeightQuantizer):
    """A weight as a product of integer factors; in eval mode they stand by themselves, whatever the trained weight is.

    Args:
        shape: of the weight.
        bits: average bits of T's weights.
        axis: the weight's axis that counts output channels.
        side: `row` or `column`.
        mixing_bits: width of S.

    """

    kind = "transform"
    integer = False
    mixing: Tensor
    analysis: Tensor
    codes: Tensor
    row_bits: Tensor
    exponents: Tensor

    def __init__(self, shape: torch.Size, *, bits: int, axis: int, side: str, mixing_bits: int) -> None:
        super().__init__()
        self.bits, self.axis, self.side, self.mixing_bits, self.group = bits, axis, side, mixing_bits, 1
        self.levels = Levels(MOST_BITS)
        self.mixed_axis = axis if side == "column" or len(shape) < 2 else 1 - axis
        self.stand_in: Tensor | None = None
        count = shape[self.mixed_axis]
        self.register_buffer("mixing", torch.zeros(count, count, dtype=torch.int8))
        self.register_buffer("analysis", torch.zeros(count, count))
        self.register_buffer("codes", torch.zeros(shape, dtype=torch.int8))
        self.register_buffer("row_bits", torch.zeros(count, dtype=torch.uint8))
        self.register_buffer("exponents", torch.zeros(count, dtype=torch.int8))

    def forward(self, weight: Tensor) -> Tensor:
        """The product of the factors, the same shape; gradients pass straight to the weight."""
        if self.stand_in is not None:
            return self.stand_in + (weight - weight.detach())
        if self.training:
            self.codes.copy_(self._from_rows(self.grids().codes(self.transformed(weight.detach()))))
        return self.product() + (weight - weight.detach())

    @torch.no_grad()
    def fit(self, weight: Tensor, gradients: Tensor | None = None) -> None:
        """Choose basis, bits and steps for a weight.

        Args:
            weight: in float.
            gradients: ``[n, n]``, see `elt`; None takes the KLT and equal sensitivities.

        """
        rows = self.to_rows(weight.detach()).double()
        covariance = rows @ rows.T / rows.shape[1]
        basis = klt(covariance) if gradients is None else elt(covariance, gradients.double())
        self._round_mixing(torch.linalg.inv(basis).T)
        mixing = self.mixing.double()
        sensitivities = (mixing.square() if gradients is None else mixing * (gradients.double() @ mixing)).sum(dim=0)
        self.set_grids(choose_grids(self.transformed(weight), sensitivities, self.bits), weight)

    @torch.no_grad()
    def set_grids(self, grids: RowGrids, weight: Tensor) -> None:
        """Take these bits and steps, and the codes of a weight on them."""
        lowest = _largest(grids) - _EXPONENT_SPAN
        self.row_bits.copy_(grids.bits)
        self.exponents.copy_(torch.where(grids.bits > 0, grids.exponents.clamp(min=lowest), 0))
        self.codes.copy_(self._from_rows(self.grids().codes(self.transformed(weight))))

    def grids(self) -> RowGrids:
        """Bits and steps of the rows."""
        return RowGrids(self.row_bits.long(), self.exponents.long())

    def transformed(self, weight: Tensor) -> Tensor:
        """T ``[n, N]`` float64 of a weight, not rounded."""
        return self.analysis.double() @ self.to_rows(weight.detach()).double()

    def product(self) -> Tensor:
        """The weight of the factors as they are."""
        return self.weight_of(torch.ldexp(self.to_rows(self.codes).double(), self.exponents.long()[:, None]))

    def weight_of(self, rows: Tensor) -> Tensor:
        """The weight ``S T`` of a T ``[n, N]`` float64."""
        return self._from_rows(self.mixing.double() @ rows).float() + 0.0

    def to_rows(self, weight: Tensor) -> Tensor:
        """``[n, N]`` with the mixed axis in front."""
        return weight.movedim(self.mixed_axis, 0).flatten(1)

    def steps(self) -> Tensor:
        """Refused: the weight is a product of factors.

        Raises:
            InputError: always.

        """
        raise InputError(
            "weights of the quantizer transform are no integers times steps",
            remedy="use another quantizer where integer weights are needed; the packed file holds both factors",
        )

    def set_steps(self, steps: Tensor) -> None:
        """Refused, as `steps`.

        Raises:
            InputError: always.

        """
        del steps
        self.steps()

    def round_steps(self) -> None:
        """Nothing to round: steps are powers of two."""

    @torch.no_grad()
    def restore(self, codes: Tensor, exponents: Tensor, mixing: Tensor) -> None:
        """Take factors that were stored; the way back from a weight is then the pseudo-inverse of S."""
        self.codes.copy_(codes)
        self.exponents.copy_(exponents)
        self.mixing.copy_(mixing)
        sizes = self.to_rows(self.codes).abs().amax(dim=1).long()
        self.row_bits.copy_(torch.frexp(sizes.double()).exponent + (sizes > 0))
        self.analysis.copy_(torch.linalg.pinv(self.mixing.double()))

    def settings(self) -> dict[str, Any]:
        """What its structure depends on, by the names that checkpoints use."""
        return {"transform_side": self.side, "mixing_bits": self.mixing_bits}

    def _round_mixing(self, mixing: Tensor) -> None:
        """Put S on integers, every column with its own scale, which T's row takes up."""
        high = Levels(self.mixing_bits).high
        scaled = mixing / mixing.abs().amax(dim=0) * high
        self.mixing.copy_(scaled.round())
        self.analysis.copy_(torch.linalg.pinv(self.mixing.double()))

    def _from_rows(self, rows: Tensor) -> Tensor:
        shape = list(self.codes.shape)
        front = [shape.pop(self.mixed_axis), *shape]
        return rows.view(front).movedim(0, self.mixed_axis)


def transform_weight(
    weight: Tensor, bits: int, axis: int, settings: TransformSettings, fitted: bool = True
) -> TransformWeight:
    """A quantizer in the KLT basis, fitted to a weight or with zeros for a state that is loaded next.

    Raises:
        InputError: a weight is not finite, or is pruned.

    """
    quantizer = TransformWeight(
        weight.shape, bits=bits, axis=axis, side=settings.side, mixing_bits=settings.mixing_bits
    )
    quantizer.to(weight.device)
    if fitted:
        _check(weight)
        quantizer.fit(weight)
    return quantizer


def _check(weight: Tensor) -> None:
    if not bool(torch.isfinite(weight).all()):
        raise InputError("values to quantize are not finite", remedy="the network has diverged: use an earlier one")
    zeros = int((weight == 0).sum())
    if 0 < zeros < weight.numel():
        raise InputError(
            "a transform does not keep zeros", found=f"{zeros} pruned weights", remedy="quantize it with another one"
        )


def _largest(grids: RowGrids) -> int:
    used = grids.exponents[grids.bits > 0]
    return int(used.max()) if len(used) else 0
