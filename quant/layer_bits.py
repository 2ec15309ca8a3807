"""Uniform bit widths by kind of layer and by name, used when no allocation chooses."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase

from torch import nn

from disparsity.base.errors import InputError
from disparsity.base.layers import check_layer_names, quantizable_layers
from disparsity.quant.bits import LayerBits, check_bits


@dataclass(frozen=True, kw_only=True)
class QuantSettings:
    """Bit widths by kind of layer and by name, and how the quantizers start.

    Attributes:
        quantizer: a name of `QUANTIZERS`.
        initialisation: a name of `INITIALISATIONS`.
        weight_bits: of every layer that is not named otherwise.
        activation_bits: of every layer input that is not named otherwise.
        first_bits: of weights and input of the first layers, which see the image.
        last_bits: of weights and input of the protected layers, which emit the disparity.
        wide_bits: of inputs that mix ranges, such as disparity in pixels beside colours.
        layer_bits: bits of single layers as `PATTERN=WEIGHTS` or `PATTERN=WEIGHTS/ACTIVATIONS`, e.g. `refine.*=6/8`;
            they win over everything else, the last match over earlier ones.

    """

    quantizer: str = "lsq"
    initialisation: str = "mse"
    weight_bits: int = 4
    activation_bits: int = 8
    first_bits: int = 8
    last_bits: int = 8
    wide_bits: int = 16
    layer_bits: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse widths that no quantizer has."""
        for name in ("weight_bits", "activation_bits", "first_bits", "last_bits", "wide_bits"):
            check_bits(getattr(self, name), what=name)
        self.patterns()

    def patterns(self) -> list[tuple[str, int, int | None]]:
        """`layer_bits` as a pattern, its weight bits and its activation bits (None leaves them).

        Raises:
            InputError: an entry is of another form, or no quantizer has that many bits.

        """
        return [_pattern(entry) for entry in self.layer_bits]


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
        InputError: a name is not a quantizable layer of the network, or a pattern of `layer_bits` matches none.

    """
    layers = quantizable_layers(network)
    for what, names in (("first", first), ("protected", protected), ("wide_inputs", wide_inputs)):
        check_layer_names(names, layers, what=what)
    special = dict.fromkeys(first, settings.first_bits) | dict.fromkeys(protected, settings.last_bits)
    bits = {
        name: LayerBits(
            weights=special.get(name, settings.weight_bits),
            activations=settings.wide_bits if name in wide_inputs else special.get(name, settings.activation_bits),
        )
        for name in layers
    }
    for pattern, weights, activations in settings.patterns():
        for name in _matching(pattern, list(layers)):
            bits[name] = LayerBits(weights=weights, activations=activations or bits[name].activations)
    return bits


def _pattern(entry: str) -> tuple[str, int, int | None]:
    pattern, _, widths = entry.rpartition("=")
    weights, slash, activations = widths.partition("/")
    if not pattern or not weights.isdecimal() or bool(slash) != activations.isdecimal():
        expected = "PATTERN=WEIGHTS or PATTERN=WEIGHTS/ACTIVATIONS"
        raise InputError("not a pattern with its bits", where="layer_bits", found=entry, expected=expected)
    for width in (weights, activations) if slash else (weights,):
        check_bits(int(width), what=entry)
    return pattern, int(weights), int(activations) if slash else None


def _matching(pattern: str, layers: list[str]) -> list[str]:
    matches = [name for name in layers if fnmatchcase(name, pattern)]
    if not matches:
        raise InputError("no layer of this name", where="layer_bits", found=pattern, expected=", ".join(layers))
    return matches
