"""The options that describe a machine, and the machine that they make."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from disparsity.base.errors import InputError
from disparsity.registries import ENTRIES

if TYPE_CHECKING:
    from disparsity.hwcost.models.machine import Machine

_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}


def add_machine_options(command: argparse.ArgumentParser) -> None:
    """Add them, with their defaults in the help."""
    command.add_argument(
        "--profile", default="horowitz45", metavar="NAME", help="see: disparsity list profiles; or your own .toml"
    )
    command.add_argument("--array", default="16x16", metavar="RxC", help="systolic array, default %(default)s")
    command.add_argument("--dataflow", default="ws", choices=list(ENTRIES["dataflows"]), help="default %(default)s")
    command.add_argument(
        "--buffer", default="128KiB", metavar="BYTES", help="on-chip buffer, e.g. 64KiB; default %(default)s"
    )
    command.add_argument(
        "--dram-bandwidth", default=16.0, type=float, metavar="BYTES", help="per cycle, default %(default)s"
    )
    command.add_argument(
        "--lanes", type=int, metavar="N", help="filters in lock-step where zeros are skipped; default: array columns"
    )
    command.add_argument("--clock", type=float, metavar="MHZ", help="gives times in milliseconds too")


def machine_of(arguments: argparse.Namespace) -> Machine:
    """The machine that the options describe.

    Raises:
        InputError: an option is out of range, or there is no such profile.

    """
    from disparsity.hwcost.models.machine import Machine  # noqa: PLC0415 - torch is slow to import
    from disparsity.hwcost.profiles.technology import load_profile  # noqa: PLC0415
    from disparsity.recipe.recipe import parse_size  # noqa: PLC0415

    array, buffer = parse_size(arguments.array, "--array"), parse_bytes(arguments.buffer, "--buffer")
    return Machine(
        profile=load_profile(arguments.profile),
        array=array,
        dataflow=arguments.dataflow,
        buffer_bytes=buffer,
        dram_bytes_per_cycle=arguments.dram_bandwidth,
        lanes=arguments.lanes,
        clock_mhz=arguments.clock,
    )


def parse_bytes(text: str, where: str) -> int:
    """``65536``, ``64KiB`` or ``64kB`` as bytes.

    Raises:
        InputError: it is none of these.

    """
    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([A-Za-z]{0,3})", text.strip())
    if match is None or match[2].lower() not in _UNITS:
        raise InputError("not a number of bytes", where=where, found=f"'{text}'", expected="e.g. 65536, 64KiB or 64kB")
    return round(float(match[1]) * _UNITS[match[2].lower()])
