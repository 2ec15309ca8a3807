"""Manifest entry of one layer, and the files of its constants."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
from torch import nn

from disparsity.base.errors import InputError
from disparsity.base.layers import TRANSPOSED
from disparsity.export.rtl.words import Integers, hex_lines, packed_bits
from disparsity.quant.integer.constants import INPUT_BITS, INPUT_MULTIPLIER_BITS, OUTPUT_MULTIPLIER_BITS
from disparsity.quant.integer.convolution import IntegerConvolution

SHIFT_BITS = 6


def describe_layer(layer: IntegerConvolution, folder: str) -> dict[str, Any]:
    """The manifest's entry of a layer whose files are in `folder`, without its calls.

    Raises:
        InputError: the layer pads with something else than zeros.

    """
    return {
        "name": layer.name,
        **_shape(layer.name, layer.products),
        "input": _input(layer),
        "weights": _weights(layer, folder),
        "accumulator": _accumulator(layer),
        "output": _output(layer, folder),
        "calls": [],
    }


def write_layer(layer: IntegerConvolution, root: Path, entry: dict[str, Any]) -> None:
    """The files that the entry names."""
    weights, output = entry["weights"], entry["output"]
    codes = layer.constants.codes.numpy().astype(np.int64)
    (root / weights["file"]).parent.mkdir(parents=True)
    (root / weights["file"]).write_bytes(hex_lines(codes, weights["bits"]))
    (root / weights["packed_file"]).write_bytes(packed_bits(codes, weights["bits"]))
    for name in ("multipliers", "shifts", "biases"):
        values: Integers = np.array(getattr(layer.constants.output, name), np.int64)
        (root / output[name]["file"]).write_bytes(hex_lines(values, output[name]["bits"]))


def _shape(name: str, products: nn.Module) -> dict[str, Any]:
    if isinstance(products, nn.Linear):
        return {"kind": "linear", "in_channels": products.in_features, "out_channels": products.out_features}
    shape = cast(Any, products)
    if shape.padding_mode != "zeros":
        found = f"padding_mode {shape.padding_mode}"
        raise InputError("the target pads with zeros only", where=name, found=found)
    return {
        "kind": "transposed_convolution" if isinstance(products, TRANSPOSED) else "convolution",
        "in_channels": shape.in_channels,
        "out_channels": shape.out_channels,
        "groups": shape.groups,
        "kernel": list(shape.kernel_size),
        "stride": list(shape.stride),
        "dilation": list(shape.dilation),
        "padding": [list(pair) for pair in _padding(shape)],
    }


def _padding(shape: Any) -> list[tuple[int, int]]:
    """Zeros before and after, by axis; of a transposed convolution, outputs that are cut off."""
    if isinstance(shape.padding, str):
        totals = [
            d * (k - 1) if shape.padding == "same" else 0
            for d, k in zip(shape.dilation, shape.kernel_size, strict=True)
        ]
        return [(total // 2, total - total // 2) for total in totals]
    return [(each, each) for each in shape.padding]


def _input(layer: IntegerConvolution) -> dict[str, Any]:
    stage = layer.constants.input
    return {
        "bits": INPUT_BITS,
        "signed": True,
        "fraction_bits": stage.fraction_bits,
        "multiplier": stage.multiplier,
        "multiplier_bits": INPUT_MULTIPLIER_BITS,
        "shift": stage.shift,
        "low": stage.low,
        "high": stage.high,
        "code_bits": stage.bits,
    }


def _weights(layer: IntegerConvolution, folder: str) -> dict[str, Any]:
    return {
        "bits": layer.constants.weight_bits,
        "signed": True,
        "shape": list(layer.constants.codes.shape),
        "file": f"{folder}/weights.hex",
        "packed_file": f"{folder}/weights.bin",
    }


def _accumulator(layer: IntegerConvolution) -> dict[str, Any]:
    constants = layer.constants
    return {"bits": constants.accumulator_bits, "signed": True, "worst_case_bits": constants.worst_case_bits}


def _output(layer: IntegerConvolution, folder: str) -> dict[str, Any]:
    stage = layer.constants.output
    widths = {
        "multipliers": (OUTPUT_MULTIPLIER_BITS, False),
        "shifts": (SHIFT_BITS, False),
        "biases": (stage.bits, True),
    }
    files = {
        name: {"bits": bits, "signed": signed, "file": f"{folder}/{name}.hex"}
        for name, (bits, signed) in widths.items()
    }
    return {"bits": stage.bits, "signed": True, "fraction_bits": stage.fraction_bits, **files}
