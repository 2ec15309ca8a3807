"""Example test bench: the simulated call, and its sizes as macros."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from disparsity.base.atomic_io import write_text

TEMPLATES = Path(__file__).parent / "templates"
SOURCES = ("lane.sv", "testbench.sv")
_AXES = 3


def write_example(root: Path, layers: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Write the `rtl` folder for the convolution that is cheapest to simulate; None where there is no convolution."""
    choices = [(products_of(layer, call), layer, call) for layer in layers for call in layer["calls"]]
    plain = [choice for choice in choices if choice[1]["kind"] == "convolution"]
    if not plain:
        return None
    _, layer, call = min(plain, key=lambda choice: choice[0])
    (root / "rtl").mkdir()
    for name in SOURCES:
        write_text(root / "rtl" / name, (TEMPLATES / name).read_text(encoding="utf-8"))
    write_text(root / "rtl" / "example.svh", "".join(f"`define {k} {v}\n" for k, v in macros(layer, call).items()))
    return {"layer": layer["name"], "call": layer["calls"].index(call), "folder": "rtl"}


def products_of(layer: dict[str, Any], call: dict[str, Any]) -> int:
    """Products of one call, padding and zeros included."""
    shape = call["input_shape"] if layer["kind"] == "transposed_convolution" else call["output_shape"]
    return math.prod(shape) * math.prod(layer["weights"]["shape"][1:])


def macros(layer: dict[str, Any], call: dict[str, Any]) -> dict[str, Any]:
    """The preprocessor's names of a convolution; missing axes come first and are of length 1."""
    stage, output, inputs, outputs = layer["input"], layer["output"], call["input_shape"], call["output_shape"]
    values: dict[str, Any] = {
        "LAYER": _quoted(layer["name"]),
        "IMAGES": inputs[0],
        "IN_CHANNELS": layer["in_channels"],
        "OUT_CHANNELS": layer["out_channels"],
        "GROUP_INPUTS": layer["in_channels"] // layer["groups"],
        "GROUP_OUTPUTS": layer["out_channels"] // layer["groups"],
        "INPUT_WORDS": math.prod(inputs),
        "OUTPUT_WORDS": math.prod(outputs),
        "WEIGHT_WORDS": math.prod(layer["weights"]["shape"]),
        "WEIGHT_BITS": layer["weights"]["bits"],
        "ACCUMULATOR_BITS": layer["accumulator"]["bits"],
        "OUTPUT_BITS": output["bits"],
        "INPUT_MULTIPLIER": stage["multiplier"],
        "INPUT_SHIFT": stage["shift"],
        "CODE_LOW": f"({stage['low']})",
        "CODE_HIGH": f"({stage['high']})",
        "CODE_BITS": stage["code_bits"],
        "INPUT_FILE": _quoted(call["input_file"]),
        "CODE_FILE": _quoted(call["code_file"]),
        "OUTPUT_FILE": _quoted(call["output_file"]),
        "WEIGHT_FILE": _quoted(layer["weights"]["file"]),
        "MULTIPLIER_FILE": _quoted(output["multipliers"]["file"]),
        "SHIFT_FILE": _quoted(output["shifts"]["file"]),
        "BIAS_FILE": _quoted(output["biases"]["file"]),
    }
    values |= _per_axis("IN", inputs[2:], 1) | _per_axis("OUT", outputs[2:], 1)
    values |= _per_axis("KERNEL", layer["kernel"], 1) | _per_axis("STRIDE", layer["stride"], 1)
    values |= _per_axis("DILATION", layer["dilation"], 1)
    return values | _per_axis("PADDING", [before for before, _ in layer["padding"]], 0)


def _per_axis(name: str, lengths: Sequence[int], missing: int) -> dict[str, int]:
    padded = [missing] * (_AXES - len(lengths)) + list(lengths)
    return {f"{name}_{axis}": length for axis, length in enumerate(padded)}


def _quoted(text: str) -> str:
    return f'"{text}"'
