"""`disparsity.cost` and `disparsity.export`: what a network costs in hardware, and its files for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from disparsity.api.network import Network, load
from disparsity.api.report import Report
from disparsity.base.errors import InputError
from disparsity.checkpoint.opening import open_checkpoint
from disparsity.checkpoint.restore import open_network
from disparsity.cost import check_pixels
from disparsity.evaluation.activation_statistics import observe_data
from disparsity.export.format import checked_format, write_format
from disparsity.hwcost.models.machine import BUFFER_BYTES, DRAM_BYTES_PER_CYCLE, Machine
from disparsity.hwcost.profiles.technology import load_profile
from disparsity.recipe.size import parse_size
from disparsity.report.cost_report import cost_report
from disparsity.stereo.network import StereoNetwork
from disparsity.stereo.networks.users import is_user_network

Size = str | tuple[int, int]
Source = str | Path | nn.Module | Network


def cost(
    checkpoint: Source,
    size: Size,
    *,
    network: str | None = None,
    profile: str = "horowitz45",
    array: Size = (16, 16),
    dataflow: str = "ws",
    buffer_bytes: int = BUFFER_BYTES,
    dram_bytes_per_cycle: float = DRAM_BYTES_PER_CYCLE,
    lanes: int | None = None,
    clock_mhz: float | None = None,
    data: str | None = None,
    pairs: int | None = None,
) -> Report:
    """Count memory, operations, energy, area and cycles of a network beside its own dense form.

    Args:
        checkpoint: as in `load`, what it returned, or the name of a network (see `disparsity list networks`).
        size: height and width of the input, such as ``(544, 960)`` or "544x960".
        network: name of the network of a published file.
        profile: energies and areas; see `disparsity list profiles`, or a path to a .toml of your own.
        array: rows and columns of the systolic array.
        dataflow: `os`, `ws` or `is`.
        buffer_bytes: of the on-chip buffer.
        dram_bytes_per_cycle: the memory's bandwidth.
        lanes: filters that work in lock-step where zeros are skipped; None takes one per column of the array.
        clock_mhz: gives times in milliseconds too.
        data: URI of pairs on which zeros and sums are measured.
        pairs: how many of them, 1 if not given.

    Returns:
        the report: a mapping with the fields of report.json that prints as the terminal's summary.

    Raises:
        InputError: the network or an argument is wrong.

    Example:
        >>> report = disparsity.cost("stereonet", "256x512", array=(32, 32))
        >>> report["network"]["parameters"]
        425378

    """
    machine = machine_of(
        profile=profile,
        array=array,
        dataflow=dataflow,
        buffer_bytes=buffer_bytes,
        dram_bytes_per_cycle=dram_bytes_per_cycle,
        lanes=lanes,
        clock_mhz=clock_mhz,
    )
    if pairs is not None and data is None:
        raise InputError("--pairs is of --data", found=pairs, remedy="name the pairs with --data URI")
    height_width = _pair(size, "size")
    check_pixels(height_width)
    opened = opened_module(checkpoint, network, named=True)
    observed = None if data is None else observe_data(opened, data, 1 if pairs is None else pairs)
    return Report(cost_report(opened, height_width, machine, observed))


def export(
    checkpoint: Source,
    format: str,
    out: str | Path,
    *,
    size: Size | None = None,
    data: str | None = None,
    network: str | None = None,
) -> Path:
    """Write a network in another format; what can be run is run once and compared before it is kept.

    Args:
        checkpoint: as in `load`, or what it returned.
        format: see `disparsity list formats`.
        out: the file, or the folder for formats that are one.
        size: height and width of the input, for all formats but `packed`.
        data: URI of a data set whose first pair `rtl` runs; None takes a synthetic pair.
        network: name of the network of a published file.

    Returns:
        the path of what was written.

    Raises:
        InputError: the format cannot express the network, or an argument is missing or out of place.

    Example:
        >>> disparsity.export("builtin:reference", "packed", "reference.h5").stat().st_size > 100_000
        True

    """
    height_width = None if size is None else _pair(size, "size")
    form = checked_format(format, height_width, data)
    write_format(form, Path(out), opened_module(checkpoint, network), height_width, data)
    return Path(out)


def machine_of(*, profile: str, array: Size, **settings: Any) -> Machine:
    """A machine from what a user says of it.

    Raises:
        InputError: a setting is out of range, or there is no such profile.

    """
    return Machine(profile=load_profile(profile), array=_pair(array, "array"), **settings)


def opened_module(checkpoint: Source, network: str | None, *, named: bool = False) -> StereoNetwork:
    """The torch module of a checkpoint on the CPU; where `named`, of a network's own name too, with fresh weights."""
    if isinstance(checkpoint, Network | nn.Module):
        return load(checkpoint, device="cpu").module
    text = str(checkpoint)
    if not (named and _is_name(text)):
        return open_checkpoint(text, network)
    if network not in (None, text):
        raise InputError("--network is for published files", found=network, where=text)
    return open_network("", text).eval()


def _is_name(text: str) -> bool:
    """Whether a network is meant that is built from scratch: one by name, known or not, or the user's own."""
    return is_user_network(text) or not (Path(text).exists() or any(mark in text for mark in "/.:"))


def _pair(size: Size, where: str) -> tuple[int, int]:
    return parse_size(size, f"--{where}") if isinstance(size, str) else (int(size[0]), int(size[1]))
