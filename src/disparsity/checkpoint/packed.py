"""Packed network: conversion to a packed file and back, with bit-identical effective weights."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from disparsity.base.errors import CorruptArtefactError, InputError
from disparsity.base.layers import channel_axis, quantizable_layers, trained_weight
from disparsity.base.layers import effective_weight as weight_of
from disparsity.checkpoint.packed_factors import pack_factors, restore_factors
from disparsity.checkpoint.restore import build_structure, network_metadata
from disparsity.hwcost.codec.packed_file import read_packed, write_content
from disparsity.hwcost.codec.packed_network import FloatLayer, PackedLayer, PackedNetwork, effective_weight, owner
from disparsity.pruning.masks import mask_modules
from disparsity.quant.attach import input_quantizer, weight_quantizer
from disparsity.quant.grids.codes import integer_codes
from disparsity.quant.grids.steps import log_of_step
from disparsity.quant.quantizers.base import WeightQuantizer
from disparsity.quant.quantizers.transform import TransformWeight
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks.state_checks import check_finite
from disparsity.stereo.spec import is_below

_INPUT_STEP = ".input_quantizer.log_step"


def pack_network(network: StereoNetwork, unused: Collection[str] = ()) -> PackedNetwork:
    """Everything that inference needs: integer weights and steps where quantized, float values elsewhere.

    Modules that only training runs are left out, and so are those that never run: by the network's spec, and `unused`.
    """
    layers = _weighted(network, unused)
    return PackedNetwork(
        layers=tuple(stored for name, layer in layers.items() for stored in _pack_layer(name, layer)),
        tensors={name: _smallest(tensor) for name, tensor in _other_tensors(network, layers, unused).items()},
        header=network_metadata(network),
    )


def write_network(path: Path, network: StereoNetwork) -> int:
    """Write `compressed.h5` once it has been read back from memory; returns its bytes.

    Raises:
        InputError: what was packed does not give the network back; nothing is written.

    """
    from disparsity.hwcost.codec.packing import pack  # noqa: PLC0415 - its compiler is slow to import

    return write_checked(path, network, pack(pack_network(network)))


def write_checked(path: Path, network: StereoNetwork, content: bytes) -> int:
    """Write a network that `packing` has coded, unless it cannot be read back with the same weights.

    Raises:
        InputError: it cannot; nothing is written.

    """
    from disparsity.hwcost.codec.packing import unpack  # noqa: PLC0415 - its compiler is slow to import

    restored = _restored(unpack(content, where=str(path)), path, trusted=True)
    before, after = _weighted(network), _weighted(restored)
    wrong = [name for name, layer in before.items() if not torch.equal(weight_of(layer).cpu(), weight_of(after[name]))]
    if wrong:
        raise InputError("the packed network is not the network", where=path, found=f"other weights at {wrong[0]}")
    return write_content(path, content)


def read_network(path: Path) -> StereoNetwork:
    """The network that `write_network` wrote; what only training runs starts afresh, from a fixed seed.

    Raises:
        InputError: there is no such file.
        CorruptArtefactError: the file is damaged, or is no packed network.

    """
    return _restored(read_packed(path), path)


def _restored(packed: PackedNetwork, path: Path, *, trusted: bool = False) -> StereoNetwork:
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = build_structure(cast(dict[str, Any], packed.header), trusted=trusted)
        _check_names(network, packed, path)
        with torch.no_grad():
            for stored in packed.layers:
                if owner(stored.name) == stored.name:
                    _restore_layer(network.get_submodule(stored.name), stored)
            restore_factors(network, packed.layers)
            _restore_tensors(network, packed)
    except (KeyError, AttributeError, RuntimeError, TypeError) as error:
        raise CorruptArtefactError("the packed network does not fit together", where=path, found=str(error)) from error
    check_finite(network, path)
    return network.eval()


def _weighted(network: StereoNetwork, unused: Collection[str] = ()) -> dict[str, nn.Module]:
    return {name: layer for name, layer in quantizable_layers(network).items() if _is_run(network, name, unused)}


def _is_run(network: StereoNetwork, name: str, unused: Collection[str] = ()) -> bool:
    """Whether inference needs a layer or a tensor of this name."""
    return not is_below(name, (*network.spec.not_at_inference, *unused))


def _check_names(network: StereoNetwork, packed: PackedNetwork, path: Path) -> None:
    """Refuse a file that would leave a part of the network at its fresh values."""
    layers = _weighted(network)
    expected = {*layers, *_other_tensors(network, layers)}
    found = {*(owner(layer.name) for layer in packed.layers), *packed.tensors}
    if found != expected:
        raise CorruptArtefactError(
            "the packed network does not fit together",
            where=path,
            found=f"missing {sorted(expected - found)[:5]}, unexpected {sorted(found - expected)[:5]}",
        )


def _pack_layer(name: str, layer: nn.Module) -> tuple[PackedLayer | FloatLayer, ...]:
    quantizer = weight_quantizer(layer)
    if quantizer is None:
        weight = cast(Tensor, layer.weight).detach().cpu().numpy()
        return (FloatLayer(name=name, values=np.ascontiguousarray(weight), output_axis=channel_axis(layer)),)
    if isinstance(quantizer, TransformWeight):
        return pack_factors(name, quantizer)
    codes, steps = integer_codes(layer)
    packed = PackedLayer(
        name=name,
        codes=codes.cpu().numpy().astype(np.int64),
        steps=steps.cpu().numpy(),
        bits=quantizer.bits,
        output_axis=quantizer.axis,
        term_bits=quantizer.levels.term_bits,
        group=quantizer.group,
    )
    return (packed,)


def _other_tensors(
    network: StereoNetwork, layers: Mapping[str, nn.Module], unused: Collection[str] = ()
) -> dict[str, Tensor]:
    """Biases, input steps and unfolded BatchNorms: the state without weights, masks and weight steps."""
    kept = {}
    for name, tensor in network.state_dict().items():
        owner, _, last = name.rpartition(".")
        weight_itself = owner in layers and last == "weight"
        if not weight_itself and ".parametrizations." not in name and _is_run(network, name, unused):
            kept[name] = tensor
    for name, layer in layers.items():
        quantizer = input_quantizer(layer)
        if quantizer is not None:
            kept[f"{name}{_INPUT_STEP}"] = quantizer.step()
    return kept


def _smallest(tensor: Tensor) -> np.ndarray:
    """As float16 where that loses nothing, else as it is."""
    values = tensor.detach().cpu()
    if values.dtype == torch.float32 and torch.equal(values.half().float(), values):
        values = values.half()
    return values.numpy()


def _restore_layer(layer: nn.Module, stored: PackedLayer | FloatLayer) -> None:
    values = torch.from_numpy(np.array(effective_weight(stored), np.float32))
    trained_weight(layer).copy_(values)
    for mask in mask_modules(layer).values():
        mask.mask.copy_(values != 0)
    quantizer = weight_quantizer(layer)
    if isinstance(stored, PackedLayer):
        assert isinstance(quantizer, WeightQuantizer)
        quantizer.set_steps(torch.from_numpy(stored.steps.astype(np.float32)))


def _restore_tensors(network: StereoNetwork, packed: PackedNetwork) -> None:
    state = network.state_dict()
    for name, array in packed.tensors.items():
        tensor = torch.from_numpy(np.array(array))
        values = log_of_step(tensor.float()) if name.endswith(_INPUT_STEP) else tensor
        state[name].copy_(values.to(state[name].dtype))
