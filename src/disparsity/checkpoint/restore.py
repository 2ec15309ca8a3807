"""Restoring of a compressed network from a checkpoint: structure from JSON, values from tensors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from disparsity.base.errors import CorruptArtefactError, InputError
from disparsity.base.tensor_names import without_prefix
from disparsity.checkpoint.checkpoints import Checkpoint, load_checkpoint
from disparsity.pruning.channels.sizes import resize_layers, shrunk_layers
from disparsity.pruning.masks import attach_masks, masks_of
from disparsity.quant.attach import quantized_layers
from disparsity.quant.description import attach_from_description, describe_quantizers
from disparsity.quant.folding.batch_norm import fold_pairs, folded_pairs
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks import build_network
from disparsity.stereo.networks.published import load_published
from disparsity.stereo.networks.state_checks import check_finite, check_state
from disparsity.stereo.networks.users import check_written, is_user_network, remember_written

_MOST_PARAMETERS, _SPARE_PARAMETERS = 1 << 28, 100_000
"""What a description may claim where channels were removed, and else beyond twice what its tensors hold."""
_UNFIT = (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError, RuntimeError, MemoryError)
BUILTIN = "builtin:"
_WEIGHTS = Path(__file__).resolve().parents[1] / "stereo" / "weights"


def network_metadata(network: StereoNetwork) -> dict[str, Any]:
    """What the structure of a network is rebuilt from, as plain data; no empty `channels` and `unused`."""
    channels = shrunk_layers(network)
    return {
        "network": {"name": network.spec.name, "settings": network.spec.settings},
        **({"channels": channels} if channels else {}),
        **({"unused": list(network.spec.unused)} if network.spec.unused else {}),
        "folded": [list(pair) for pair in folded_pairs(network)],
        "masks": list(masks_of(network)),
        "quantizers": describe_quantizers(network),
    }


def restore_network(metadata: dict[str, Any], tensors: dict[str, Tensor], where: Path) -> StereoNetwork:
    """The network that `network_metadata` described, with the given state dict.

    Raises:
        InputError: the tensors are not those of the described network, or no network is described.
        CorruptArtefactError: the description lacks something, or contradicts itself.

    """
    if "network" not in metadata:
        raise InputError("this checkpoint holds no network", where=where, remedy="name a stage's folder")
    try:
        _check_claim(metadata, tensors, where)
        network = build_structure(metadata)
    except _UNFIT as error:  # a crafted file with a valid checksum
        found = f"{type(error).__name__}: {error}"[:160]
        raise CorruptArtefactError("the description does not fit together", where=where, found=found) from error
    check_state(network.state_dict(), tensors, where=where, network=metadata["network"]["name"])
    network.load_state_dict(tensors)
    check_finite(network, where)
    return network.eval()


def _check_claim(metadata: dict[str, Any], tensors: dict[str, Tensor], where: Path) -> None:
    """Refuse a description of far more parameters than the file holds, before memory for them is allocated."""
    name, settings = metadata["network"]["name"], metadata["network"]["settings"]
    if is_user_network(name):
        return
    with torch.device("meta"):
        claimed = sum(parameter.numel() for parameter in build_network(name, **settings).parameters())
    held = sum(tensor.numel() for tensor in tensors.values())
    if claimed > (_MOST_PARAMETERS if metadata.get("channels") else 2 * held + _SPARE_PARAMETERS):
        found = f"{claimed} described, {held} numbers there"
        raise InputError(f"not the parameters of network '{name}'", where=where, found=found)


def build_structure(metadata: dict[str, Any], *, trusted: bool = False) -> StereoNetwork:
    """The network with its channels, folded BatchNorms, masks and quantizers in place, values still fresh.

    Args:
        metadata: as of `network_metadata`.
        trusted: they come from a network in memory, whose code runs already, and not from a file.

    Raises:
        InputError: the network is a ``module:callable`` that the user has not named, or does not have these channels.

    """
    if not trusted:
        check_written(metadata["network"]["name"])
    network = build_network(metadata["network"]["name"], **metadata["network"]["settings"])
    network.spec = replace(network.spec, unused=tuple(metadata.get("unused", ())))
    resize_layers(network, metadata.get("channels", {}))
    fold_pairs(network, [(conv, norm) for conv, norm in metadata["folded"]])
    attach_masks(network, metadata["masks"])
    attach_from_description(network, metadata["quantizers"])
    return network


def open_network(checkpoint: str, name: str | None, seed: int = 0, max_disparity: int = 0) -> StereoNetwork:
    """A network from `builtin:NAME`, a checkpoint of ours, a published file with its network's name, or fresh.

    Args:
        checkpoint: what the user wrote; empty builds fresh weights from `seed`.
        name: preset name or ``module:callable``, needed for published files, fresh networks and networks of a user's
            own.
        seed: of fresh weights.
        max_disparity: of the cost volume in pixels; 0 takes the preset's or the checkpoint's.

    Raises:
        InputError: there is no such checkpoint, or it belongs to another network or maximum disparity.

    """
    if name is not None and is_user_network(name):
        remember_written(name)
    if not checkpoint:
        torch.manual_seed(seed)
        return build_network(name or "reference", **({"max_disparity": max_disparity} if max_disparity else {}))
    path = _WEIGHTS / f"{checkpoint.removeprefix(BUILTIN)}.json" if checkpoint.startswith(BUILTIN) else Path(checkpoint)
    if not path.exists():
        raise InputError("no such checkpoint", where=checkpoint)
    if path.is_dir() or path.suffix == ".json":
        stored = load_checkpoint(path)
        network = restore_network(stored.metadata, without_prefix("network.", stored.tensors), path)
        if name is not None and name != network.spec.name:
            raise InputError("checkpoint of another network", where=path, found=network.spec.name, expected=name)
        if max_disparity not in (0, network.spec.max_disparity):
            found = network.spec.max_disparity
            raise InputError("checkpoint of another maximum disparity", where=path, found=found, expected=max_disparity)
        return network
    if name is None:
        raise InputError("a published file needs its network's name", where=path, remedy="add --network NAME")
    return load_published(path, name, max_disparity).eval()


def network_checkpoint(network: StereoNetwork, more: dict[str, Any]) -> Checkpoint:
    """A network as a checkpoint, with further metadata."""
    tensors = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    return Checkpoint(tensors, {**network_metadata(network), **more})


def is_quantized(network: StereoNetwork) -> bool:
    """Whether any layer has quantizers."""
    return bool(quantized_layers(network))


def stage_of(network: StereoNetwork) -> str:
    """How far a network has come: `dense`, `pruned` or `quantized`."""
    if is_quantized(network):
        return "quantized"
    return "pruned" if masks_of(network) or shrunk_layers(network) else "dense"
