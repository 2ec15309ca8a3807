"""Devices: the device that a recipe or a command names, checked before anything starts."""

from __future__ import annotations

import os
import re

import torch
import torch.distributed as dist

from disparsity.base import distributed
from disparsity.base.errors import InputError

CPU = torch.device("cpu")
LOCAL_NUMBER = "LOCAL_RANK"
"""Set by launchers: the number of a process among those of its machine."""
_EXPECTED = "auto, cpu, cuda or cuda:N"


def choose_device(name: str, where: str = "device") -> torch.device:
    """The device of this process.

    Args:
        name: `auto` takes a GPU where there is one, `cuda` the GPU with this process's number on its machine (0
            alone), `cuda:N` the one with number N.
        where: the key or option, for messages.

    Raises:
        InputError: the name is unknown, there is no such device, or several processes would share one GPU.

    """
    match = re.fullmatch(r"auto|cpu|cuda(?::([0-9]{1,3}))?", name)
    if match is None:
        raise InputError("not a device", where=where, found=repr(name), expected=_EXPECTED)
    gpus = _gpus()
    if name == "cpu" or (name == "auto" and not gpus):
        return CPU
    if match[1] and distributed.processes() > 1:
        raise InputError("every process needs a GPU of its own", where=where, found=name, expected="auto or cuda")
    number = int(match[1] or _local_number())
    if number >= gpus:
        remedy = "take device cpu, or no more processes than GPUs; see: disparsity doctor"
        expected = f"one of {gpus} GPUs, counted from 0" if gpus else "a GPU that torch can use"
        raise InputError("no such device", where=where, found=f"cuda:{number}", expected=expected, remedy=remedy)
    return torch.device("cuda", number)


def use_device(device: torch.device) -> None:
    """Make a device the one that this process computes on, in float32 proper where float32 is requested.

    On a GPU some operators have no deterministic form; they warn instead of failing, and a repeated run may differ in
    the last bits.
    """
    on_gpu = device.type == "cuda"
    torch.use_deterministic_algorithms(mode=True, warn_only=on_gpu)
    # By default this mode also fills every new tensor, which operators then fill again: 15 % of a step.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    if on_gpu:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what deterministic products of matrices need
        torch.backends.cudnn.allow_tf32 = False
        torch.cuda.set_device(device)


def backend(name: str) -> str:
    """How processes talk whose recipe names this device: about signals and figures on the CPU in any case."""
    on_gpu = name.startswith("cuda") or (name == "auto" and _gpus() > 0)
    return "cpu:gloo,cuda:nccl" if on_gpu and dist.is_available() and dist.is_nccl_available() else "gloo"


def describe(device: torch.device) -> str:
    """A device for the manifest."""
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)


def _gpus() -> int:
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def _local_number() -> int:
    return int(os.environ.get(LOCAL_NUMBER, "0")) if distributed.processes() > 1 else 0
