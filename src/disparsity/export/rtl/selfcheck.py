"""Recompute every layer of this folder from its hex files and compare bit by bit: python selfcheck.py [FOLDER].

Needs Python 3.11 and NumPy. Prints one line per call of a layer; exit code 1 when anything differs.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

_NO_DIGIT = 255
_VALUE_OF = np.full(256, _NO_DIGIT, np.uint8)
_VALUE_OF[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16, dtype=np.uint8)


class WrongError(Exception):
    """What does not match."""


def main(arguments: Sequence[str]) -> int:
    """Check the folder that is named, or the one that this file is in."""
    root = Path(arguments[0]) if arguments else Path(__file__).parent
    manifest = json.loads((root / "manifest.json").read_text(encoding="utf-8"))
    if (manifest["schema"], manifest["version"]) != ("disparsity.rtl", 1):
        print(f"FAILED  {root / 'manifest.json'}: another schema or version")
        return 1
    failures = 0
    for layer in manifest["layers"]:
        failures += check_layer(root, layer, manifest["files"])
    print(f"{failures} of {len(manifest['layers'])} layers failed" if failures else "all layers match")
    return 1 if failures else 0


def check_layer(root: Path, layer: dict[str, Any], checksums: dict[str, str]) -> bool:
    """Whether a layer fails; says so."""
    try:
        for path in files_of(layer):
            if hashlib.sha256((root / path).read_bytes()).hexdigest() != checksums[path]:
                raise WrongError(f"the checksum of {path} is not the manifest's")
        for index, call in enumerate(layer["calls"]):
            check_call(root, layer, call)
            print(f"ok      {layer['name']}, call {index}: {np.prod(call['output_shape'])} outputs")
    except (WrongError, OSError, ValueError) as error:
        print(f"FAILED  {layer['name']}: {error}")
        return True
    return False


def files_of(layer: dict[str, Any]) -> Iterator[str]:
    """Every file that a layer names."""
    yield from (layer["weights"]["file"], layer["weights"]["packed_file"])
    yield from (layer["output"][name]["file"] for name in ("multipliers", "shifts", "biases"))
    for call in layer["calls"]:
        yield from (call["input_file"], call["code_file"], call["output_file"])


def check_call(root: Path, layer: dict[str, Any], call: dict[str, Any]) -> None:
    """Recompute one call; raises WrongError at the first difference."""
    stage, bits = layer["input"], layer["weights"]["bits"]
    weights = read_words(root / layer["weights"]["file"], bits, signed=True)
    if not np.array_equal(
        weights, unpack_words((root / layer["weights"]["packed_file"]).read_bytes(), bits, weights.size)
    ):
        raise WrongError(f"{layer['weights']['packed_file']} holds other weights than {layer['weights']['file']}")
    inputs = read_words(root / call["input_file"], stage["bits"], signed=True).reshape(call["input_shape"])
    stored = read_words(root / call["code_file"], stage["code_bits"], signed=False).reshape(call["input_shape"])
    codes = input_codes(inputs, stage)
    compare(codes, stored + stage["low"], call["code_file"])
    sums = accumulate(codes, weights.reshape(layer["weights"]["shape"]), layer, call["output_shape"])
    limit = 2 ** (layer["accumulator"]["bits"] - 1)
    if sums.size and not -limit <= sums.min() <= sums.max() < limit:
        raise WrongError(f"a sum does not fit {layer['accumulator']['bits']} bits")
    outputs = read_words(root / call["output_file"], layer["output"]["bits"], signed=True)
    compare(rescale(root, sums, layer), outputs.reshape(call["output_shape"]), call["output_file"])


def compare(found: Integers, expected: Integers, file: str) -> None:
    """Raise WrongError with the first address where the two differ."""
    wrong = np.flatnonzero(found.ravel() != expected.ravel())
    if wrong.size:
        first = wrong[0]
        raise WrongError(
            f"{wrong.size} words of {file} differ, the first at address {first}: "
            f"recomputed {found.ravel()[first]}, stored {expected.ravel()[first]}"
        )


def read_words(path: Path, bits: int, *, signed: bool) -> Integers:
    """The words of a hex file; a line is a word."""
    count = -(-bits // 4)
    text = np.frombuffer(path.read_bytes(), np.uint8)
    if text.size % (count + 1):
        raise WrongError(f"{path.name} is cut off")
    lines = text.reshape(-1, count + 1)
    digits = _VALUE_OF[lines[:, :count]]
    if (digits == _NO_DIGIT).any() or (lines[:, count] != ord("\n")).any():
        raise WrongError(f"{path.name} holds something else than lines of {count} hexadecimal digits")
    words = np.zeros(len(digits), np.int64)
    for place in range(count):
        words = (words << 4) | digits[:, place]
    return to_signed(words, bits) if signed else words


def unpack_words(content: bytes, bits: int, count: int) -> Integers:
    """The words of a packed file: no gaps, the lowest bit first."""
    flat = np.unpackbits(np.frombuffer(content, np.uint8), bitorder="little", count=count * bits)
    words = (flat.reshape(count, bits).astype(np.int64) << np.arange(bits)).sum(axis=1)
    return to_signed(words, bits)


def to_signed(words: Integers, bits: int) -> Integers:
    """Two's complement."""
    return words - ((words >> (bits - 1)) << bits)


def input_codes(inputs: Integers, stage: dict[str, Any]) -> Integers:
    """Step 2: fixed-point inputs to codes."""
    scaled = (inputs * stage["multiplier"] + (1 << (stage["shift"] - 1))) >> stage["shift"]
    return np.clip(scaled, stage["low"], stage["high"])


def rescale(root: Path, sums: Integers, layer: dict[str, Any]) -> Integers:
    """Step 4: sums to fixed-point outputs."""
    output, axis = layer["output"], -1 if layer["kind"] == "linear" else 1
    shape = [1] * sums.ndim
    shape[axis] = -1
    read = {
        name: read_words(root / output[name]["file"], output[name]["bits"], signed=output[name]["signed"]).reshape(
            shape
        )
        for name in ("multipliers", "shifts", "biases")
    }
    half = np.int64(1) << (read["shifts"] - 1)
    outputs = ((sums * read["multipliers"] + half) >> read["shifts"]) + read["biases"]
    limit = 2 ** (output["bits"] - 1)
    return np.clip(outputs, -limit, limit - 1)


def accumulate(codes: Integers, weights: Integers, layer: dict[str, Any], shape: list[int]) -> Integers:
    """Step 3: the sums of products. In float64, which holds all integers up to 2^53 and multiplies faster."""
    if layer["kind"] == "linear":
        return (codes.astype(np.float64) @ weights.T.astype(np.float64)).astype(np.int64)
    sums = np.zeros(shape, np.float64)
    groups = layer["groups"]
    inner, outer = layer["in_channels"] // groups, layer["out_channels"] // groups
    add = add_convolution if layer["kind"] == "convolution" else add_transposed
    for group in range(groups):
        part = codes[:, group * inner : (group + 1) * inner].astype(np.float64)
        rows = slice(group * outer, (group + 1) * outer)
        filters = weights[rows] if layer["kind"] == "convolution" else weights[group * inner : (group + 1) * inner]
        add(sums[:, rows], part, filters.astype(np.float64), layer)
    return sums.astype(np.int64)


def add_convolution(sums: NDArray[Any], codes: NDArray[Any], weights: NDArray[Any], layer: dict[str, Any]) -> None:
    """``sums[n, o, p] += w[o, i, t] * codes[n, i, p * stride + t * dilation - padding]``."""
    padded = np.pad(codes, [(0, 0), (0, 0), *layer["padding"]])
    taps = weights.reshape(*weights.shape[:2], -1)
    for index, tap in enumerate(itertools.product(*map(range, layer["kernel"]))):
        window = tuple(
            slice(t * d, t * d + (n - 1) * s + 1, s)
            for t, d, s, n in zip(tap, layer["dilation"], layer["stride"], sums.shape[2:], strict=True)
        )
        seen = padded[:, :, *window]
        sums += np.moveaxis(np.tensordot(taps[:, :, index], seen, axes=(1, 1)), 0, 1)


def add_transposed(sums: NDArray[Any], codes: NDArray[Any], weights: NDArray[Any], layer: dict[str, Any]) -> None:
    """``sums[n, o, p * stride + t * dilation - padding] += w[i, o, t] * codes[n, i, p]``, inside of the output."""
    steps = list(zip(codes.shape[2:], layer["stride"], layer["dilation"], layer["kernel"], strict=True))
    reach = [(n - 1) * s + d * (k - 1) + 1 for n, s, d, k in steps]
    front = [before for before, _ in layer["padding"]]
    sizes = [max(r, f + n) for r, f, n in zip(reach, front, sums.shape[2:], strict=True)]
    full = np.zeros((*sums.shape[:2], *sizes), np.float64)
    taps = weights.reshape(*weights.shape[:2], -1)
    for index, tap in enumerate(itertools.product(*map(range, layer["kernel"]))):
        window = tuple(slice(t * d, t * d + (n - 1) * s + 1, s) for t, (n, s, d, _) in zip(tap, steps, strict=True))
        product = np.tensordot(taps[:, :, index], codes, axes=(0, 1))
        full[:, :, *window] += np.moveaxis(product, 0, 1)
    inside = tuple(slice(f, f + n) for f, n in zip(front, sums.shape[2:], strict=True))
    sums += full[:, :, *inside]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
