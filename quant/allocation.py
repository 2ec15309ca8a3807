"""The slot "allocation": how many bits each layer gets."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from torch import nn

from disparsity.quant.bits import LayerBits, check_bits
from disparsity.quant.layers import check_layer_names, quantizable_layers


@dataclass(frozen=True, kw_only=True)
class QuantSettings:
    """Bit widths of a uniform allocation and how the quantizers start.

    Attributes:
        quantizer: a name of `QUANTIZERS`.
        initialisation: a name of `INITIALISATIONS`.
        weight_bits: of every layer that is not named otherwise.
        activation_bits: of every layer input that is not named otherwise.
        first_bits: of weights and input of the first layers, which see the image.
        last_bits: of weights and input of the protected layers, which emit the disparity.
        wide_bits: of inputs that mix ranges, such as disparity in pixels beside colours.

    """

    quantizer: str = "lsq"
    initialisation: str = "mse"
    weight_bits: int = 4
    activation_bits: int = 8
    first_bits: int = 8
    last_bits: int = 8
    wide_bits: int = 16

    def __post_init__(self) -> None:
        """Refuse widths that no quantizer has."""
        for name in ("weight_bits", "activation_bits", "first_bits", "last_bits", "wide_bits"):
            check_bits(getattr(self, name), what=name)


def uniform_bits(
    network: nn.Module,
    settings: QuantSettings,
    *,
    first: Collection[str] = (),
    protected: Collection[str] = (),
    wide_inputs: Collection[str] = (),
) -> dict[str, LayerBits]:
    """The same bits for every quantizable layer but the named ones; `protected` wins over `first`.

    Raises:
        InputError: a name is not a quantizable layer of the network.

    """
    layers = quantizable_layers(network)
    for what, names in (("first", first), ("protected", protected), ("wide_inputs", wide_inputs)):
        check_layer_names(names, layers, what=what)
    special = dict.fromkeys(first, settings.first_bits) | dict.fromkeys(protected, settings.last_bits)
    return {
        name: LayerBits(
            weights=special.get(name, settings.weight_bits),
            activations=settings.wide_bits if name in wide_inputs else special.get(name, settings.activation_bits),
        )
        for name in layers
    }


ALLOCATIONS: dict[str, str] = {"uniform": "the same bits for every layer but the first, protected and wide ones"}
