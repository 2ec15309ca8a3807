"""Layers as the report's tables and figures need them: one entry per set of weights, and what each column means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Formulas of the columns; a column that is not named here is shown without one.
COLUMNS: dict[str, tuple[str, str]] = {
    "name": ("layer", "module path of the layer in the network"),
    "kind": ("kind", "class of a layer with weights, or the kind of work of a part without"),
    "call": ("call", "number of the execution; a siamese layer runs once per view and stores its weights once"),
    "input_shape": ("input", "[N, C, spatial...] of the first input"),
    "output_shape": ("output", "[N, C, spatial...]"),
    "input_elements": ("input elements", "elements of all inputs together"),
    "output_elements": ("output elements", "product of the output's shape"),
    "kernel": ("kernel", "kernel size along each spatial axis"),
    "stride": ("stride", "step of the kernel along each spatial axis"),
    "padding": ("padding", "zeros added at each end of each spatial axis"),
    "dilation": ("dilation", "distance of the kernel's taps along each spatial axis"),
    "groups": ("groups", "channel groups g; each output channel reads Ci / g input channels"),
    "weight_count": ("weights", "Co × Ci / g × kernel, stored once however often the layer is called"),
    "nnz": ("non-zero", "weights that are not exactly zero after masking and quantization"),
    "sparsity_percent": ("sparsity %", "100 × (1 − non-zero / weights)"),
    "bias_count": ("biases", "one per output channel, or none"),
    "weight_bits": ("weight bits", "bits of one weight; 32 is float"),
    "activation_bits": ("activation bits", "bits of one element of the input; 32 is float"),
    "accumulator_bits": (
        "accumulator bits",
        "weight bits + activation bits + ceil(log2(fan-in)); 32 in floating point",
    ),
    "weight_uses": ("weight uses", "N × output positions (transposed convolution: input positions)"),
    "fan_in": ("fan-in", "products summed into one output"),
    "dense_macs": ("dense MACs", "weights × weight uses, plus the products of parts without weights"),
    "effectual_macs": ("effectual MACs", "non-zero × weight uses, plus the products of parts without weights"),
    "weightless_macs": ("weightless MACs", "products of a part without weights"),
    "elementwise_ops": ("element-wise operations", "output elements of a part without weights"),
    "bops": ("BOPs", "effectual MACs × weight bits × activation bits"),
    "dense_bytes": ("dense bytes", "4 × weights (fp32)"),
    "values_bytes": ("value bytes", "non-zero × weight bits / 8, without any index"),
    "bitmap_bytes": ("bitmap bytes", "(weights + non-zero × bits) / 8, scales included"),
    "csr_bytes": ("CSR bytes", "(non-zero × (bits + ceil(log2 K)) + (Co + 1) × ceil(log2(non-zero + 1))) / 8"),
    "entropy_bound_bytes": ("entropy bound", "(weights × h(density) + non-zero × H(value | non-zero)) / 8"),
    "best_format": ("best format", "the storage format with the fewest bytes for this layer"),
    "best_bytes": ("best bytes", "bytes in the best format: values, index, tables and scales"),
    "mac_energy_pj": ("MAC energy [pJ]", "effectual MACs × (multiply + accumulate energy at these bits)"),
    "cycles": ("cycles", "cycles on the report's array with its dataflow"),
    "utilization": ("utilization", "MACs / (array rows × columns × cycles)"),
}


@dataclass(frozen=True, kw_only=True)
class LayerRow:
    """One layer's weights: counted once, however often the layer runs."""

    name: str
    sparsity_percent: float | None
    weight_bits: float | None


def column_label(name: str) -> str:
    """The heading of a column."""
    return COLUMNS[name][0] if name in COLUMNS else name.replace("_", " ")


def column_formula(name: str) -> str | None:
    """How a column is computed, or None where nobody has written it down."""
    return COLUMNS[name][1] if name in COLUMNS else None


def unique_layers(layers: Sequence[Mapping[str, Any]]) -> list[LayerRow]:
    """The layers that hold weights, once each, in the order of their first call."""
    rows: dict[str, LayerRow] = {}
    for layer in layers:
        name = str(layer.get("name"))
        if name not in rows and layer.get("weight_count") != 0 and _holds_weights(layer):
            rows[name] = LayerRow(name=name, sparsity_percent=_sparsity(layer), weight_bits=layer.get("weight_bits"))
    return list(rows.values())


def _holds_weights(layer: Mapping[str, Any]) -> bool:
    return any(layer.get(name) is not None for name in ("weight_count", "weight_bits", "sparsity_percent"))


def _sparsity(layer: Mapping[str, Any]) -> float | None:
    if layer.get("sparsity_percent") is not None:
        return float(layer["sparsity_percent"])
    weights, nonzero = layer.get("weight_count"), layer.get("nnz")
    return None if not weights or nonzero is None else 100.0 * (1.0 - nonzero / weights)
