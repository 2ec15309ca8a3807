"""Description of a network's quantizers as plain data, from which they are rebuilt before a state dict is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from disparsity.base.errors import CorruptArtefactError, InputError
from disparsity.base.layers import quantizable_layers
from disparsity.quant.attach import attach_quantizers, input_quantizer, quantized_layers, weight_quantizer
from disparsity.quant.bits import FLOAT_BITS, MAX_BITS, LayerBits
from disparsity.quant.quantizers.registry import QUANTIZERS
from disparsity.quant.quantizers.settings import PerGroupSettings, Quantizer

_KEYS = {"quantizer", "weight_bits", "activation_bits", "activation_low"}
_SETTINGS = "settings"
"""A further key, where a weight quantizer's settings are not the defaults."""
_STORED = {"ternary_threshold": "threshold", "scale_clip": "scale", "transform_side": "side"}
"""Names of settings in stored descriptions that differ from those of the settings classes."""


def describe_quantizers(network: nn.Module) -> dict[str, dict[str, Any]]:
    """By layer name: quantizer, weight_bits, activation_bits, activation_low (null if float or not calibrated).

    `settings` follows where those of the weight quantizer are not the defaults.
    """
    return {name: _describe(layer) for name, layer in quantized_layers(network).items()}


def attach_from_description(network: nn.Module, description: Mapping[str, Mapping[str, Any]]) -> None:
    """Attach the quantizers of `describe_quantizers` with steps of 1, for the state dict to fill in.

    Raises:
        CorruptArtefactError: the description does not have this shape.
        InputError: it names a layer or a quantizer that does not exist.

    """
    for name, entry in description.items():
        bits = _parse_bits(name, entry)
        attach_quantizers(network, {name: bits}, quantizer=_parse_settings(name, entry), fitted=False)
        activation = input_quantizer(quantizable_layers(network)[name])
        if activation is not None:
            activation.low = entry["activation_low"]


def _describe(layer: nn.Module) -> dict[str, Any]:
    weight, activation = weight_quantizer(layer), input_quantizer(layer)
    present = weight or activation
    assert present is not None
    settings = weight.settings() if weight else {}
    return {
        "quantizer": present.kind,
        "weight_bits": weight.bits if weight else FLOAT_BITS,
        "activation_bits": activation.bits if activation else FLOAT_BITS,
        "activation_low": activation.low if activation else None,
        **({_SETTINGS: settings} if settings else {}),
    }


def _parse_bits(name: str, entry: Mapping[str, Any]) -> LayerBits:
    if not isinstance(entry, Mapping) or set(entry) - {_SETTINGS} != _KEYS:
        found = sorted(entry) if isinstance(entry, Mapping) else entry
        raise CorruptArtefactError(
            "damaged description of a quantizer", where=name, found=found, expected=sorted(_KEYS)
        )
    if not _is_low(entry["activation_low"]):
        raise CorruptArtefactError("activation_low is not a lowest code", where=name, found=entry["activation_low"])
    try:
        return LayerBits(weights=entry["weight_bits"], activations=entry["activation_bits"])
    except InputError as error:
        raise CorruptArtefactError("damaged description of a quantizer", where=name, found=error) from error


def _parse_settings(name: str, entry: Mapping[str, Any]) -> Quantizer:
    kind = entry["quantizer"]
    if kind not in QUANTIZERS:
        raise InputError("unknown quantizer", where=name, found=kind, expected=", ".join(QUANTIZERS))
    try:
        stored: dict[str, Any] = dict(entry.get(_SETTINGS, {}))
        if stored.pop("granularity", None) is not None:
            stored["granularity"] = PerGroupSettings(size=stored.pop("group_size"))
        return QUANTIZERS[kind].settings(**{_STORED.get(key, key): value for key, value in stored.items()})
    except (InputError, TypeError, KeyError, ValueError) as error:
        raise CorruptArtefactError("damaged settings of a quantizer", where=name, found=error) from error


def _is_low(value: Any) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and -(2**MAX_BITS) < value <= 0)
