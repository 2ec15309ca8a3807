"""Packing: a packed network as one string of bytes, a checksum and then everything in one adaptive stream.

Layout: CRC-32 of the rest (4 bytes, big endian), format version (1 byte), length of the stream (4 bytes, big
endian), range-coded stream, bytes beside it (of floats, where learning them does not pay). The stream holds a
JSON text (header, and name, shape and width of every layer and tensor), the weights of all layers, the steps of
all output channels that hold anything, the values of float layers, and the other tensors by dtype. Codes are coded by
rank among their levels; of output channels that share a step it is stored once.
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from disparsity.base.errors import CorruptArtefactError
from disparsity.hwcost.codec.byte_coder import code_arrays, code_text
from disparsity.hwcost.codec.context_model import LogisticModel
from disparsity.hwcost.codec.packed_network import FloatLayer, PackedLayer, PackedNetwork, owner
from disparsity.hwcost.codec.range_coder import Decoder, Encoder
from disparsity.hwcost.codec.weight_bytes import Packing, WeightBytes
from disparsity.hwcost.codec.weight_coder import code_positions

VERSION = 2
_CHECKSUM_BYTES = _LENGTH_BYTES = 4


def pack(network: PackedNetwork) -> bytes:
    """The bytes of a packed network; equal networks give equal bytes."""
    return pack_and_measure(network).content


def pack_and_measure(network: PackedNetwork) -> Packing:
    """The bytes of a packed network, and how many of them each layer's weights take."""
    encoder = Encoder()
    model = LogisticModel(encoder)
    code_text(model, _contents(network))
    meter = WeightBytes()
    _code_body(model, [_working_copy(layer) for layer in network.layers], _owned(network.tensors), meter)
    stream = encoder.finish()
    body = bytes([VERSION]) + len(stream).to_bytes(_LENGTH_BYTES, "big") + stream + bytes(encoder.beside)
    return Packing(zlib.crc32(body).to_bytes(_CHECKSUM_BYTES, "big") + body, meter)


def unpack(content: bytes, *, where: str = "packed network") -> PackedNetwork:
    """The inverse of `pack`, bit by bit.

    Raises:
        CorruptArtefactError: the checksum is wrong, or the version is unknown.

    """
    checksum, body = content[:_CHECKSUM_BYTES], content[_CHECKSUM_BYTES:]
    if len(content) <= _CHECKSUM_BYTES or zlib.crc32(body) != int.from_bytes(checksum, "big"):
        raise CorruptArtefactError(
            "the packed network is damaged", where=where, found="a wrong checksum", remedy="export it again"
        )
    if body[0] != VERSION:
        raise CorruptArtefactError("unknown version of a packed network", where=where, found=body[0], expected=VERSION)
    try:
        return _unpack_body(body[1:])
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, MemoryError) as error:
        raise CorruptArtefactError("the packed network cannot be parsed", where=where, found=error) from error


def _unpack_body(body: bytes) -> PackedNetwork:
    end = _LENGTH_BYTES + int.from_bytes(body[:_LENGTH_BYTES], "big")
    model = LogisticModel(Decoder(body[_LENGTH_BYTES:end], body[end:]))
    contents = json.loads(code_text(model, b"").decode("utf-8"))
    layers = [_empty_layer(*entry) for entry in contents["layers"]]
    tensors = {name: np.zeros(shape, dtype) for name, dtype, shape in contents["tensors"]}
    return PackedNetwork(
        layers=_code_body(model, layers, tensors, WeightBytes()), tensors=tensors, header=contents["header"]
    )


def _contents(network: PackedNetwork) -> bytes:
    layers = [
        [layer.name, layer.output_axis, list(layer.codes.shape), layer.bits, *_further(layer)]
        if isinstance(layer, PackedLayer)
        else [layer.name, layer.output_axis, list(layer.values.shape)]
        for layer in network.layers
    ]
    tensors = [[name, _dtype_name(value), list(value.shape)] for name, value in network.tensors.items()]
    contents = {"header": network.header, "layers": layers, "tensors": tensors}
    return json.dumps(contents, separators=(",", ":"), allow_nan=False).encode("ascii")


def _further(layer: PackedLayer) -> list[int]:
    """What only layers off the usual grid need."""
    return [layer.term_bits, layer.group] if (layer.term_bits, layer.group) != (1, 1) else []


def _dtype_name(value: npt.NDArray[np.generic]) -> str:
    if value.dtype.kind not in "biufc":
        raise TypeError(f"a tensor of dtype {value.dtype} cannot be packed")
    return value.dtype.newbyteorder("<").str


def _empty_layer(
    name: str, axis: int, shape: list[int], bits: int | None = None, term_bits: int = 1, group: int = 1
) -> PackedLayer | FloatLayer:
    if bits is None:
        return FloatLayer(name=name, output_axis=axis, values=np.zeros(shape, np.float32))
    steps = np.ones(shape[axis], np.float16)
    codes = np.zeros(shape, np.int64)
    return PackedLayer(
        name=name, output_axis=axis, bits=bits, codes=codes, steps=steps, term_bits=term_bits, group=group
    )


def _working_copy(layer: PackedLayer | FloatLayer) -> PackedLayer | FloatLayer:
    """A layer whose arrays may be written: the coder puts back what it reads."""
    if isinstance(layer, FloatLayer):
        values = np.array(layer.values, np.float32, order="C")
        return FloatLayer(name=layer.name, output_axis=layer.output_axis, values=values)
    codes, steps = np.array(layer.codes, np.int64, order="C"), np.array(layer.steps, "<f2")
    return replace(layer, codes=codes, steps=steps)


def _owned(tensors: Any) -> dict[str, npt.NDArray[np.generic]]:
    return {name: np.array(value, value.dtype.newbyteorder("<"), order="C") for name, value in tensors.items()}


def _code_body(
    model: LogisticModel,
    layers: list[PackedLayer | FloatLayer],
    tensors: Mapping[str, npt.NDArray[np.generic]],
    meter: WeightBytes,
) -> tuple[PackedLayer | FloatLayer, ...]:
    """Code all arrays in place: positions and codes, then steps and floats, which the positions decide."""
    places: list[npt.NDArray[np.bool_]] = []
    for layer in layers:
        meter.start(model)
        if isinstance(layer, PackedLayer):
            ranks = layer.levels.ranks(layer.codes)
            _code_layer(model, ranks, layer.output_axis, sizes=True)
            layer.codes[...] = layer.levels.codes(ranks)
            places.append(_stored_steps(layer))
        else:
            held = (layer.values != 0).astype(np.int64)
            _code_layer(model, held, layer.output_axis, sizes=False)
            places.append(held != 0)
        meter.stop(model, {owner(layer.name): 1})
    for kind in (PackedLayer, FloatLayer):
        chosen = [(_floats(layer), place) for layer, place in zip(layers, places, strict=True) if type(layer) is kind]
        stored = [array[place] for array, place in chosen]
        meter.start(model)
        code_arrays(model, kind.__name__, stored)
        shares = [
            (owner(each.name), int(p.sum())) for each, p in zip(layers, places, strict=True) if type(each) is kind
        ]
        meter.stop(model, {name: sum(n for known, n in shares if known == name) for name, _ in shares})
        for (array, place), content in zip(chosen, stored, strict=True):
            _fill(array, place, content)
    for layer, place in zip(layers, places, strict=True):
        if isinstance(layer, PackedLayer):
            _share_steps(layer, place)
    by_dtype = defaultdict(list)
    for tensor in tensors.values():
        by_dtype[tensor.dtype.str].append(tensor)
    for dtype, group in by_dtype.items():
        code_arrays(model, dtype, group)
    return tuple(layers)


def _floats(layer: PackedLayer | FloatLayer) -> npt.NDArray[np.floating]:
    return layer.steps if isinstance(layer, PackedLayer) else layer.values


def _fill(array: npt.NDArray[np.floating], place: npt.NDArray[np.bool_], content: npt.NDArray[np.floating]) -> None:
    array[place] = content


def _code_layer(model: LogisticModel, codes: npt.NDArray[np.int64], axis: int, *, sizes: bool) -> None:
    """Code `codes` in place, output channels first."""
    turned = np.moveaxis(np.atleast_2d(codes), axis if codes.ndim > 1 else 0, 0)
    flat = np.ascontiguousarray(turned).ravel()
    code_positions(model, flat, turned.shape, sizes=sizes)
    turned[...] = flat.reshape(turned.shape)


def _stored_steps(layer: PackedLayer) -> npt.NDArray[np.bool_]:
    """Of every group of output channels that share a step, the first that holds anything."""
    others = tuple(axis for axis in range(layer.codes.ndim) if axis != layer.output_axis)
    live = (layer.codes != 0).any(axis=others)
    groups = np.arange(len(live)) // layer.group
    first = np.unique(groups[live], return_index=True)[1]
    stored = np.zeros_like(live)
    stored[np.flatnonzero(live)[first]] = True
    return stored


def _share_steps(layer: PackedLayer, stored: npt.NDArray[np.bool_]) -> None:
    """Give every group of output channels the step that was stored for it; 1 where none was."""
    groups = np.arange(len(layer.steps)) // layer.group
    of_groups = np.ones(int(groups.max(initial=0)) + 1, layer.steps.dtype)
    of_groups[groups[stored]] = layer.steps[stored]
    layer.steps[...] = of_groups[groups]
