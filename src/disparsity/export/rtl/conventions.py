"""Conventions of the exported numbers, for the manifest and for people."""

from __future__ import annotations

from typing import Any

CONVENTIONS: dict[str, str] = {
    "numbers": "two's complement integers where signed; a word of b bits holds the value modulo 2^b",
    "hex_files": "$readmemh: line n is the word at address n, ceil(b/4) lower-case digits, the most significant first; "
    "bits above b-1 in the first digit are 0",
    "packed_files": "the same words without gaps: bit j of word i is bit n = i*b + j of the file, and that is bit n%8 "
    "(0 is the least significant) of byte n//8; every file starts at a byte, and the last byte is filled with 0",
    "alignment": "one file per tensor; no padding between words, rows or channels",
    "tensor_order": "row-major, the last axis fastest, axes as in the shape: activations [image, channel, (depth,) "
    "row, column], of linear layers [image, ..., feature]; weights [output channel, input channel of the group, "
    "taps...], of transposed convolutions [input channel, output channel of the group, taps...]",
    "code_words": "an input code q is stored as q - low, unsigned; padding is q = 0, which is the word -low",
    "input_stage": "q = clip((X * multiplier + 2^(shift-1)) >> shift, low, high); X is the input word, the product has "
    "63 bits, >> is the arithmetic shift",
    "accumulation": "a = sum of q * w, in any order; sums may wrap around on the way, the last one may not overflow",
    "convolution": "a[n, o, p] = sum over i, t of w[o, i, t] * q[n, i, p*stride + t*dilation - padding before]; "
    "no flip of the kernel; group g of the outputs reads group g of the inputs",
    "transposed_convolution": "a[n, o, p*stride + t*dilation - padding before] += w[i, o, t] * q[n, i, p], where "
    "inside of the output's shape",
    "output_stage": "Y = clip(((a * multiplier[c] + 2^(shift[c]-1)) >> shift[c]) + bias[c], -2^(bits-1), "
    "2^(bits-1)-1), c the output channel; the product has 54 bits",
    "rounding": "to nearest, ties towards plus infinity: half of the divisor is added before the arithmetic shift; "
    "nothing else is rounded",
    "saturation": "input codes to low..high, outputs to their width; accumulators do not saturate",
    "fixed_point": "a word with F fraction bits stands for word * 2^-F",
    "host": "X = clip(floor(x * 2^P + 1/2), -2^31, 2^31-1) of a float32 x, P the input's fraction bits; the host reads "
    "an output as float32(Y) * 2^-F, to nearest, ties to even, and does the operations of host_operations in float32",
}


def readme(manifest: dict[str, Any]) -> str:
    """The manifest as text."""
    height, width = manifest["input_size"]
    lines = [
        f"{manifest['network']}: integer layers for {height}x{width} images",
        "",
        "Everything below is in manifest.json too, whose fields manifest.schema.json describes.",
        "Check the folder with Python and NumPy: python selfcheck.py",
        *_example(manifest["example"]),
        "",
        f"Golden vectors: {manifest['pair']['data']}, pair {manifest['pair']['id']}.",
        "Per layer and call: input (fixed-point words), codes (after the input stage), output (fixed-point words).",
        "",
        "CONVENTIONS",
        *(f"{name}:\n    {text}" for name, text in manifest["conventions"].items()),
        "",
        "LAYERS, in the order of their first calls",
        *(_layer(layer) for layer in manifest["layers"]),
        "",
        "HOST OPERATIONS, in float32 between the layers",
        *(
            f"{entry['module'] or '(network)'}: {entry['operator']}, {entry['calls']}x"
            for entry in manifest["host_operations"]
        ),
        "",
    ]
    return "\n".join(lines)


def _example(example: dict[str, Any] | None) -> list[str]:
    if example is None:
        return ["There is no convolution to show in Verilog: all layers are transposed or linear."]
    place = f"{example['layer']}, call {example['call']}"
    return [f"Example in Verilog: rtl/testbench.sv simulates {place}; its first lines say how."]


def _layer(layer: dict[str, Any]) -> str:
    stage, output = layer["input"], layer["output"]
    shape = "x".join(map(str, layer["weights"]["shape"]))
    geometry = "".join(f", {key} {layer[key]}" for key in ("stride", "padding", "dilation", "groups") if key in layer)
    return (
        f"{layer['name']}: {layer['kind']}, weights {shape} of {layer['weights']['bits']} bits{geometry}\n"
        f"    input: {stage['fraction_bits']} fraction bits, multiplier {stage['multiplier']}, shift {stage['shift']}, "
        f"codes {stage['low']}..{stage['high']} in {stage['code_bits']} bits\n"
        f"    accumulator: {layer['accumulator']['bits']} bits; worst case {layer['accumulator']['worst_case_bits']}, "
        f"seen {layer['accumulator']['seen_bits']}\n"
        f"    output: {output['bits']} bits, {output['fraction_bits']} fraction bits\n"
        f"    files: {layer['weights']['file']}; calls: {len(layer['calls'])}"
    )
